"""Ways in as a browser sees them: password, passkey, an app's code; and the lock of a page nobody touches."""

from __future__ import annotations

import base64
import re
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from server.domain import totp
from server.services.demo import CASE_ID, SEOUL
from tests.browser.test_screenshots import SIX, choose
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo
from tests.support.fakes import RED
from tests.support.story import join_signed_in, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.pages]

#: Every page with a header of somebody signed in, and who has it.
PAGES = {
    "coordinator": ["/worklist", f"/cases/{CASE_ID}", f"/cases/{CASE_ID}/schedule", "/site-checks"],
    "interpreter": [f"/cases/{CASE_ID}/glossary", "/renderings"],
    "referring_physician": [
        f"/cases/{CASE_ID}/referral", "/referrals/new", f"/cases/{CASE_ID}/consents", "/security"
    ],
    "privacy_officer": ["/policies", "/retention", "/audit"],
    "site_operator": ["/self-test"],
    "programme_admin": ["/sites", f"/sites/{SEOUL}"],
}  # fmt: skip


#: How many lines an element's words take.
LINES = """(one) => {
  const words = document.createRange();
  words.selectNodeContents(one);
  return words.getClientRects().length;
}"""


@pytest.fixture(scope="module")
def person(crowd: Crowd) -> Person:
    return crowd.person(RED, width=390)


def afresh(person: Person) -> Person:
    """The same browser without what it knew."""
    person.context = person.profile("en", 390)
    return person


def authenticator(page: Page) -> None:
    """A telephone that holds passkeys and knows its owner's finger."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def leave(page: Page) -> None:
    page.locator("hj-header .bar-end > button").click()
    page.wait_for_url("**/signin")


def nobody_was_there(demo: Demo) -> None:
    """As the server sees it, no browser was touched for years; who sits in a room has sat there as long."""
    with closing(sqlite3.connect(demo.data / "hyeopjin.sqlite3", timeout=10)) as database, database:
        assert database.execute("UPDATE account_sessions SET active_ms = 1").rowcount
        database.execute("UPDATE session_notes SET at_ms = 1 WHERE what = 'joined'")


def type_password(page: Page, demo: Demo, role: str) -> None:
    account = demo.account(role)
    page.locator("input[type=email]").fill(account["email"])
    page.locator("input[type=password]").fill(account["password"])
    page.get_by_test_id("signin-send").click()


def unlock(page: Page, demo: Demo, role: str) -> None:
    page.get_by_test_id("prove-password").fill(demo.account(role)["password"])
    page.get_by_test_id("prove-send").click()
    expect(page.get_by_test_id("lock")).to_have_count(0)


@pytest.mark.long
@pytest.mark.parametrize("role", PAGES)
def test_no_page_strands_whom_it_is_locked_for(demo: Demo, person: Person, role: str) -> None:
    account = demo.account(role)
    body = {"email": account["email"], "password": account["password"]}
    for path in PAGES[role]:
        context = afresh(person).context
        assert context.request.post(f"{demo.base_url}/api/sign-in", data=body).ok
        nobody_was_there(demo)
        page = context.new_page()
        page.goto(demo.base_url + path)
        expect(page.get_by_test_id("lock"), path).to_be_visible()
        unlock(page, demo, role)
        assert page.url == demo.base_url + path
        expect(page.locator("main h1").first, path).to_be_visible()


def test_a_passkey_made_on_the_own_page_opens_the_door_next_time(demo: Demo, person: Person) -> None:
    page = sign_in(afresh(person), demo, "referring_physician")
    authenticator(page)
    page.get_by_test_id("to-security").click()
    page.get_by_test_id("passkey-name").fill("Telephone")
    page.get_by_test_id("passkey-add").click()
    expect(page.get_by_test_id("recovery-code")).to_have_count(10)
    expect(page.get_by_test_id("passkey")).to_contain_text("Telephone")
    page.get_by_test_id("recovery-kept").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over at 390 px"
    leave(page)

    page.get_by_test_id("signin-passkey").click()
    page.wait_for_url("**/worklist")
    expect(page.locator("hj-header .who")).to_be_attached()
    leave(page)
    type_password(page, demo, "referring_physician")
    expect(page.get_by_test_id("signin-recover")).to_be_visible()
    assert page.context.request.get(f"{demo.base_url}/api/me").status == 401, (
        "a password alone is half the way"
    )
    page.get_by_test_id("signin-passkey").click()
    page.wait_for_url("**/worklist")

    nobody_was_there(demo)
    page.reload()
    page.get_by_test_id("prove-passkey").click()
    expect(page.get_by_test_id("lock")).to_have_count(0)
    expect(page.get_by_test_id("worklist-row").first).to_be_visible()
    assert not [line for line in person.errors() if "status of 4" not in line]


@pytest.mark.long
def test_an_app_is_set_up_with_its_code_and_asked_for_after_the_password(demo: Demo, person: Person) -> None:
    page = sign_in(afresh(person), demo, "interpreter")
    page.goto(f"{demo.base_url}/security")
    page.get_by_test_id("totp-begin").click()
    expect(page.get_by_test_id("totp-qr")).to_be_visible()
    typed = page.get_by_test_id("totp-secret").inner_text()
    secret = base64.b32decode(typed + "=" * (-len(typed) % 8))
    now = int(time.time() * 1000) // totp.STEP_MS
    page.get_by_test_id("totp-code").fill(totp.code(secret, now))
    page.get_by_test_id("totp-confirm").click()
    codes = page.get_by_test_id("recovery-code")
    expect(codes).to_have_count(10)
    one = codes.first.inner_text()
    page.get_by_test_id("recovery-kept").click()
    leave(page)

    type_password(page, demo, "interpreter")
    code = page.get_by_test_id("signin-code")
    expect(code).to_be_focused()
    code.fill(totp.code(secret, now))
    page.get_by_test_id("signin-second").click()
    expect(page.get_by_test_id("signin-problem")).to_be_visible()  # each code once
    code.fill(totp.code(secret, now + 1))
    page.get_by_test_id("signin-second").click()
    page.wait_for_url("**/worklist")
    leave(page)

    type_password(page, demo, "interpreter")
    page.get_by_test_id("signin-recover").click()
    page.get_by_test_id("signin-code").fill(one)
    page.get_by_test_id("signin-second").click()
    page.wait_for_url("**/worklist")


def test_a_page_nobody_touches_is_covered_and_keeps_what_was_typed(demo: Demo, person: Person) -> None:
    role = "coordinator"
    page = afresh(person).page()
    page.clock.install()
    page.goto(f"{demo.base_url}/signin")
    type_password(page, demo, role)
    page.wait_for_url("**/worklist")
    page.goto(f"{demo.base_url}/security")
    page.get_by_test_id("passkey-name").fill("half typed")
    page.clock.fast_forward(14 * 60_000)
    expect(page.get_by_test_id("lock")).to_have_count(0)
    page.clock.fast_forward(61_000)
    lock = page.get_by_test_id("lock")
    expect(lock).to_be_visible()
    expect(page.get_by_test_id("prove-password")).to_be_focused()
    backdrop = page.evaluate(
        "getComputedStyle(document.querySelector('dialog.lock'), '::backdrop').backgroundColor"
    )
    assert re.fullmatch(r"rgb\(\d+, \d+, \d+\)", backdrop), f"nothing shines through {backdrop}"
    box = "document.querySelector('[data-testid=passkey-name]')"
    assert page.evaluate(f"{box}.focus() ?? document.activeElement !== {box}"), "out of reach below"
    for _ in range(3):
        page.keyboard.press("Escape")
    expect(lock).to_be_visible()
    page.get_by_test_id("prove-password").fill("not this one")
    page.get_by_test_id("prove-send").click()
    expect(page.get_by_test_id("prove-problem")).to_have_attribute("data-code", "proof_refused")
    unlock(page, demo, role)
    expect(page.get_by_test_id("passkey-name")).to_have_value("half typed")
    page.clock.fast_forward(16 * 60_000)
    lock.get_by_test_id("lock-sign-out").click()
    page.wait_for_url("**/signin")


def test_signing_out_stays_one_line_on_a_telephone_in_every_language(demo: Demo, person: Person) -> None:
    page = sign_in(afresh(person), demo, "interpreter")
    tall = {}
    for language in SIX:
        choose(page, language)
        lines = page.locator("hj-header .bar-end > button").evaluate(LINES)
        if lines != 1 or page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            tall[language] = lines
    assert not tall


@pytest.mark.long
def test_what_the_server_locked_is_unlocked_and_a_call_goes_on(demo: Demo, person: Person) -> None:
    guest = join_signed_in(afresh(person), demo, "consulting_physician")
    page = guest.person.page()
    nobody_was_there(demo)
    page.goto(f"{demo.base_url}/worklist")
    expect(page.get_by_test_id("worklist-row").first).to_be_visible()
    expect(page.get_by_test_id("lock")).to_have_count(0)
    expect(guest.page.locator("dialog.lock")).to_have_count(0)
    guest.page.close()
    role = "coordinator"
    page = sign_in(afresh(person), demo, role)
    nobody_was_there(demo)
    page.reload()
    expect(page.get_by_test_id("lock")).to_be_visible()
    unlock(page, demo, role)
    expect(page.get_by_test_id("worklist-row").first).to_be_visible()
