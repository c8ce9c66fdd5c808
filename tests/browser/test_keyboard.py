"""A page by keyboard alone: what opens takes the keyboard's place, what closes gives it back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support.browsers import Crowd
from tests.support.demo import Demo, running, until
from tests.support.furnished import Furnished, furnish

pytestmark = [pytest.mark.browser, pytest.mark.long]

#: Where the keyboard is: nowhere (null), or what has it, and whether that is seen.
PLACE = """
() => {
  const now = document.activeElement;
  if (!now || now === document.body) return null;
  const style = getComputedStyle(now);
  return {
    what: now.dataset.testid ?? `${now.localName} ${now.innerText?.slice(0, 40) ?? ''}`,
    seen: now.getClientRects().length > 0 && (style.outlineStyle !== 'none' || style.boxShadow !== 'none'),
    off: now.matches(':disabled'),
  };
}
"""


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, Furnished]]:
    with running(tmp_path_factory.mktemp("keyboard")) as made:
        yield made, furnish(made)


def pressed(page: Page, what: str) -> dict[str, object] | None:
    """By keyboard, once everything that it began is done."""
    control = page.get_by_test_id(what).locator("visible=true").first
    control.focus()
    checkbox = control.get_attribute("type") == "checkbox"
    page.keyboard.press("Space" if checkbox else "Enter")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    found: dict[str, object] | None = page.evaluate(PLACE)
    return found


def test_a_patient_takes_a_consent_back_by_keyboard(furnished: tuple[Demo, Furnished], crowd: Crowd) -> None:
    _, there = furnished
    page = crowd.person(None, "kk").page()
    page.goto(there.my)
    until(
        "the heading has the keyboard", lambda: (page.evaluate(PLACE) or {}).get("what", "").startswith("h1")
    )
    for what, then in (("my-withdraw", "my-withdraw-not"), ("my-withdraw-not", "my-withdraw"),
                       ("my-withdraw", "my-withdraw-not"), ("my-withdraw-sure", "my-withdrawn")):  # fmt: skip
        place = pressed(page, what)
        assert place is not None, what
        assert place["what"] == then
