"""The casework pages by keyboard alone: an order without traps, a place that is always somewhere and seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import pytest
from playwright.sync_api import Page

from server.services.demo import CASE_ID, SEOUL
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo, running, until
from tests.support.furnished import Furnished, furnish
from tests.support.story import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.long]

MOST_STOPS = 250
#: Where the keyboard is: nowhere (null), or what has it, whether that is seen, and comes after the last.
PLACE = """
() => {
  const now = document.activeElement;
  if (!now || now === document.body) { window.place = null; return null; }
  const before = window.place;
  window.place = now;
  const style = getComputedStyle(now);
  return {
    what: now.dataset.testid ?? `${now.localName} ${now.innerText?.slice(0, 40) ?? ''}`,
    seen: now.getClientRects().length > 0 && (style.outlineStyle !== 'none' || style.boxShadow !== 'none'),
    after: !before || (before === now && /date|time|month/.test(now.type))
      || Boolean(before.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING),
    off: now.matches(':disabled'),
  };
}
"""
WALKED = (
    ("referring_physician", "/worklist"),
    ("referring_physician", f"/cases/{CASE_ID}/consents"),
    ("referring_physician", "/cases/{draft}/referral"),
    ("coordinator", "/worklist"),
    ("coordinator", "/cases/{new}"),
    ("coordinator", f"/cases/{CASE_ID}/schedule"),
    ("privacy_officer", "/audit"),
    ("programme_admin", f"/sites/{SEOUL}"),
    ("programme_admin", "/people/{person}"),
)
#: What is pressed, one after the other, and what has the keyboard then ("": anything that is seen).
PRESSED: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "coordinator",
        f"/cases/{CASE_ID}/schedule",
        (
            ("hour-cancel", "cancel-side"),
            ("cancel-keep", "hour-cancel"),
            ("hour-move", "schedule-from"),
            ("move-keep", "hour-move"),
            ("schedule-find", "schedule-proposals"),
            ("schedule-urgent", "schedule-urgent"),
            ("schedule-find", "schedule-proposals"),
            ("slot-book", "book-side"),
            ("book-keep", "slot-book"),
            ("slot-book", "book-side"),
            ("book-confirm", "schedule-done"),
        ),
    ),
    (
        "coordinator",
        "/cases/{new}",
        (
            ("act-cancel", "act-reason"),
            ("act-back", "act-cancel"),
            ("match-propose", ""),
        ),
    ),
    (
        "referring_physician",
        f"/cases/{CASE_ID}/consents",
        (
            ("consent-withdraw", "consent-withdraw-not"),
            ("consent-withdraw-not", "consent-withdraw"),
            ("consent-witness", "consent-state"),
            ("consent-withdraw", "consent-withdraw-not"),
            ("consent-withdraw-sure", "consent-state"),
            ("give-code", "patients-code"),
        ),
    ),
    (
        "programme_admin",
        "/people/{person}",
        (
            ("licence-open", ""),
            ("licence-save", ""),
            ("licence-verify", ""),
            ("leave", "leave-cancel"),
            ("leave-cancel", "leave"),
        ),
    ),
    ("programme_admin", f"/sites/{SEOUL}", (("room-toggle", ""), ("week-save", ""))),
    ("privacy_officer", "/audit", (("view-review", ""), ("review-open", ""), ("review-sign", ""))),
    ("interpreter", "/people/{self}", (("feed-make", ""), ("feed-end", ""))),
)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, Furnished]]:
    with running(tmp_path_factory.mktemp("keyboard")) as made:
        yield made, furnish(made)


def opened(page: Page, demo: Demo, there: Furnished, path: str) -> None:
    own = page.request.get(f"{demo.base_url}/api/me").json()["account"]["id"]
    page.goto(demo.base_url + path.format(self=own, **asdict(there)))
    page.locator("main h1").first.wait_for()
    page.wait_for_load_state("networkidle")


def walked(page: Page) -> list[str]:
    """What is wrong with the order in which Tab goes over the page."""
    wrong: list[str] = []
    page.evaluate("document.activeElement?.blur()")
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        place = page.evaluate(PLACE)
        if place is None:
            return wrong
        if not place["after"]:
            return wrong if place["what"].startswith("a ") else [*wrong, f"goes back to {place['what']}"]
        if not place["seen"]:
            wrong.append(f"{place['what']}: not seen")
    return [*wrong, "no end"]


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


def by_role(person: Person, demo: Demo, role: str) -> Page:
    person.context = person.profile("ru")
    return sign_in(person, demo, role)


def visited(
    furnished: tuple[Demo, Furnished], crowd: Crowd, places: Iterable[tuple[str, str]]
) -> Iterator[Page]:
    """Each (role, path) opened by whom it is for."""
    demo, there = furnished
    person = crowd.person(None, "ru")
    role, page = "", person.page()
    for whose, path in places:
        if whose != role:
            role, page = whose, by_role(person, demo, whose)
        opened(page, demo, there, path)
        yield page


def test_tab_goes_over_every_page_in_its_order_and_leaves_it_again(
    furnished: tuple[Demo, Furnished], crowd: Crowd
) -> None:
    wrong = []
    for page, (whose, path) in zip(visited(furnished, crowd, WALKED), WALKED, strict=True):
        wrong += [f"{whose} {path}: {one}" for one in walked(page)]
    assert not wrong, "\n".join(wrong)


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


def test_after_every_action_the_keyboard_is_where_one_goes_on(
    furnished: tuple[Demo, Furnished], crowd: Crowd
) -> None:
    wrong = []
    places = [(whose, path) for whose, path, _ in PRESSED]
    for page, (_, path, keys) in zip(visited(furnished, crowd, places), PRESSED, strict=True):
        for what, then in keys:
            place = pressed(page, what)
            if place is None or place["off"] or not place["seen"]:
                wrong.append(f"{path} after {what}: {place}")
            elif then and place["what"] != then:
                wrong.append(f"{path} after {what}: {place['what']}, not {then}")
    assert not wrong, "\n".join(wrong)
