"""An organisation's own sign-in as somebody meets it: button, the provider's page, the way back, each no."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from server.domain import totp
from server.i18n import text
from server.services.context import unix_ms
from tests.browser.test_screenshots import choose, picture_all
from tests.browser.test_sign_in import afresh, leave
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo, running
from tests.support.fakes import RED
from tests.support.provider import CLIENT, SECRET, Mock, provider_beside

pytestmark = [pytest.mark.browser, pytest.mark.long]

LABEL = "Example Hospital (synthetic)"


@pytest.fixture(scope="module")
def mock() -> Iterator[Mock]:
    with provider_beside(unix_ms) as made:
        yield made


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, mock: Mock) -> Iterator[Demo]:
    oidc = {"issuer": mock.issuer, "client_id": CLIENT, "label": LABEL}
    env = {"HYEOPJIN_OIDC": json.dumps(oidc)}
    with running(tmp_path_factory.mktemp("demo"), env) as started:
        (started.data / "secrets" / "oidc_client_secret").write_text(SECRET)
        yield started


@pytest.fixture(scope="module")
def person(crowd: Crowd) -> Person:
    return crowd.person(RED, width=390)


@pytest.fixture(scope="module")
def folder(output: Path) -> Path:
    made = output / "screenshots"
    made.mkdir(exist_ok=True)
    return made


def vouches(mock: Mock, demo: Demo, role: str, **more: object) -> None:
    """Who the provider says has come."""
    mock.claims = {"sub": f"s-{role}", "email": demo.account(role)["email"], "email_verified": True} | more


def go(page: Page) -> None:
    """By the keyboard alone."""
    button = page.get_by_test_id("signin-provider")
    expect(button).to_be_visible()
    button.focus()
    page.keyboard.press("Enter")


def test_the_button_leads_to_the_provider_and_back_to_the_page_that_was_asked_for(
    demo: Demo, person: Person, mock: Mock, folder: Path
) -> None:
    vouches(mock, demo, "privacy_officer")
    page = afresh(person).page()
    page.goto(f"{demo.base_url}/audit")
    page.wait_for_url(re.compile(r"/signin\?next=(%2F|/)audit$"))
    expect(page.get_by_test_id("signin-provider")).to_contain_text(LABEL)
    wide = picture_all(page, "signin-provider", folder, languages=("en", "ko", "ru", "kk"))
    go(page)
    page.wait_for_url(f"{mock.issuer}/authorize**")
    page.locator("#continue").click()
    page.wait_for_url("**/audit")
    expect(page.locator("main h1").first).to_be_visible()
    assert person.context.request.get(f"{demo.base_url}/api/me").json()["account"]["roles"] == [
        "privacy_officer"
    ]
    leave(page)
    assert not wide, wide
    assert not [line for line in person.console if line.startswith("uncaught:")]


def test_a_second_step_is_asked_for_on_the_way_back(demo: Demo, person: Person, mock: Mock) -> None:
    account = demo.account("reviewer")
    api = afresh(person).context.request
    known = {"email": account["email"], "password": account["password"]}
    assert api.post(f"{demo.base_url}/api/sign-in", data=known).ok
    typed = api.post(f"{demo.base_url}/api/account/totp", data={}).json()["secret"]
    secret = base64.b32decode(typed + "=" * (-len(typed) % 8))
    now = int(time.time() * 1000) // totp.STEP_MS
    confirmed = {"code": totp.code(secret, now)}
    assert api.post(f"{demo.base_url}/api/account/totp/confirm", data=confirmed).ok
    vouches(mock, demo, "reviewer")
    page = afresh(person).page()
    page.goto(f"{demo.base_url}/signin?next=/security")
    go(page)
    page.locator("#continue").click()
    code = page.get_by_test_id("signin-code")
    expect(code).to_be_focused()
    code.fill(totp.code(secret, now + 1))
    page.keyboard.press("Enter")
    page.wait_for_url("**/security")


#: What the provider says, or the person does, and what the page says then; each in another language.
NOES = {
    "provider_down": "ko",
    "provider_refused": "ru",
    "provider_unverified": "kk",
    "provider_unknown": "uz",
    "step_over": "mn",
}


@pytest.mark.parametrize("code", NOES)
def test_each_no_is_said_in_the_persons_language_with_what_to_do(
    demo: Demo, person: Person, mock: Mock, folder: Path, code: str
) -> None:
    language = NOES[code]
    page = afresh(person).page()
    page.goto(f"{demo.base_url}/signin?next=/security")
    choose(page, language)
    vouches(mock, demo, "coordinator")
    if code == "provider_unverified":
        vouches(mock, demo, "coordinator", sub="s-new", email_verified=False)
    if code == "provider_unknown":
        vouches(mock, demo, "coordinator", sub="s-new", email="nobody@example.invalid")
    if code == "provider_down":
        mock.down = True  # it asked the provider for its addresses before; the exchange fails now
    go(page)
    page.wait_for_url(f"{mock.issuer}/authorize**")
    if code == "step_over":
        page.context.clear_cookies()
    page.locator("#cancel" if code == "provider_refused" else "#continue").click()
    page.wait_for_url(re.compile(rf"/signin\?problem={code}(&|$)"))
    mock.down = False
    said = page.get_by_test_id("signin-problem")
    expect(said).to_have_text(text(language, f"error-{code.replace('_', '-')}"))
    wide = picture_all(page, f"signin-{code}", folder, languages=("en", "ko", "ru", "kk"))
    choose(page, "en")
    expect(said).to_have_text(text("en", f"error-{code.replace('_', '-')}"))
    assert not wide, wide
    # and what it says can be done: once more, by the same button, to the page that was asked for
    vouches(mock, demo, "coordinator")
    go(page)
    page.wait_for_url(f"{mock.issuer}/authorize**")
    page.locator("#continue").click()
    page.wait_for_url("**/worklist" if code == "step_over" else "**/security")
