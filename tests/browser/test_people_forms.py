"""Forms about people and departments: a lost second step, an address put right, a department closed."""

from __future__ import annotations

import base64
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext, Page, expect

from server.domain import totp
from server.services.demo import CASE_ID, SEOUL
from tests.browser.test_screenshots import picture_all
from tests.browser.test_sign_in import afresh
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo
from tests.support.fakes import RED
from tests.support.story import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.long]

FOUR = ("en", "ko", "ru", "kk")


@pytest.fixture(scope="module")
def person(crowd: Crowd) -> Iterator[Person]:
    someone = crowd.person(RED, width=1440)
    yield someone
    assert not [line for line in someone.console if line.startswith("uncaught:")]


@pytest.fixture(scope="module")
def folder(output: Path) -> Path:
    made = output / "screenshots"
    made.mkdir(exist_ok=True)
    return made


def api_of(demo: Demo, person: Person, role: str) -> APIRequestContext:
    """Somebody else, in a profile of their own."""
    api = person.profile().request
    account = demo.account(role)
    body = {"email": account["email"], "password": account["password"]}
    assert api.post(f"{demo.base_url}/api/sign-in", data=body).ok
    return api


def asked(demo: Demo, api: APIRequestContext, path: str, body: Any = None) -> Any:
    answer = api.post(demo.base_url + path, data=body or {})
    assert answer.ok, (path, answer.status, answer.text())
    return answer.json()


def test_a_lost_second_step_is_taken_away_after_why_how_and_who(
    demo: Demo, person: Person, folder: Path
) -> None:
    theirs = api_of(demo, person, "consulting_physician")
    typed = asked(demo, theirs, "/api/account/totp")["secret"]
    secret = base64.b32decode(typed + "=" * (-len(typed) % 8))
    code = totp.code(secret, int(time.time() * 1000) // totp.STEP_MS)
    asked(demo, theirs, "/api/account/totp/confirm", {"code": code})
    me = theirs.get(f"{demo.base_url}/api/me").json()["account"]["id"]

    page = sign_in(afresh(person), demo, "site_admin")
    page.goto(f"{demo.base_url}/people/{me}")
    page.get_by_test_id("second-open").click()
    expect(page.get_by_test_id("field-why")).to_be_focused()
    page.get_by_test_id("second-send").click()
    expect(page.get_by_test_id("wrong")).to_have_count(2)
    expect(page.get_by_test_id("field-why")).to_be_focused()
    wide = picture_all(page, "second-step-form", folder, "second-step", languages=FOUR)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("second-open")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_test_id("field-why").select_option("lost")
    page.get_by_test_id("field-checked").select_option("video")
    with closing(sqlite3.connect(demo.data / "hyeopjin.sqlite3", timeout=10)) as books, books:
        books.execute("UPDATE account_sessions SET proved_ms = 1")
    page.get_by_test_id("second-send").click()
    password = page.get_by_test_id("prove-password")
    expect(password).to_be_focused()
    wide += picture_all(page, "second-step-prove", folder, "second-step", languages=FOUR)
    password.fill(demo.account("site_admin")["password"])
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("second-step").get_by_test_id("form-done")).to_be_focused()
    wide += picture_all(page, "second-step-done", folder, "second-step", languages=FOUR)
    expect(page.get_by_test_id("second-open")).to_have_count(0)
    assert theirs.get(f"{demo.base_url}/api/me").status == 401
    assert not wide, wide


def test_a_wrong_address_is_put_right_before_anybody_used_it(
    demo: Demo, person: Person, folder: Path
) -> None:
    page = sign_in(afresh(person), demo, "programme_admin")
    page.goto(f"{demo.base_url}/sites/{SEOUL}")
    page.get_by_test_id("new-person").locator("summary").click()
    form = page.get_by_test_id("person-form")
    form.get_by_test_id("field-name").fill("한데모 (synthetic)")
    form.get_by_test_id("field-email").fill("hann@demo.invalid")
    form.get_by_test_id("roles-interpreter").check()
    form.get_by_test_id("person-save").click()
    page.get_by_test_id("person").filter(has_text="한데모").locator("a").first.click()
    page.get_by_test_id("address-open").click()
    address = page.get_by_test_id("address-form").get_by_test_id("field-email")
    expect(address).to_be_focused()
    address.fill("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("wrong")).to_be_visible()
    wide = picture_all(page, "address-form", folder, "invitation", languages=FOUR)
    address.fill("han@demo.invalid")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("invitation").get_by_test_id("form-done")).to_be_visible()
    expect(page.get_by_test_id("invitation")).to_contain_text("han@demo.invalid")
    # what they interpret: every pair of our languages is there
    page.get_by_test_id("interprets-save").click()
    expect(page.get_by_test_id("pairs-ko-ru")).to_be_focused()
    page.get_by_test_id("pairs-kk-uz").check()
    page.get_by_test_id("fields-urology").check()
    wide += picture_all(page, "interprets", folder, "interprets", languages=FOUR)
    page.get_by_test_id("interprets-save").click()
    expect(page.get_by_test_id("interprets").get_by_test_id("form-done")).to_be_visible()
    assert not wide, wide


def new_unit(page: Page) -> str:
    """A department with a physician of this site, by their forms; its id."""
    page.get_by_test_id("department-open").click()
    form = page.get_by_test_id("department-form")
    form.get_by_test_id("field-name").fill("Kidneys (synthetic)")
    form.get_by_test_id("field-specialty").select_option("urology")
    form.get_by_test_id("places-urology/stones").check()
    form.get_by_test_id("department-save").click()
    row = page.get_by_test_id("department").filter(has_text="Kidneys (synthetic)")
    expect(row).to_be_visible()
    row.get_by_test_id("physician-open").click()
    row.get_by_test_id("field-account").select_option(index=1)
    row.get_by_test_id("physician-save").click()
    expect(row.get_by_test_id("physician")).to_have_count(1)
    return str(row.get_attribute("data-department"))


def test_a_department_is_closed_once_nothing_is_booked_there(
    demo: Demo, person: Person, folder: Path
) -> None:
    page = sign_in(afresh(person), demo, "coordinator")
    page.goto(f"{demo.base_url}/sites/{SEOUL}")
    unit = new_unit(page)
    row = page.locator(f"[data-department='{unit}']")
    row.get_by_test_id("change-open").click()
    form = row.get_by_test_id("department-form")
    expect(form.get_by_test_id("field-name")).to_have_value("Kidneys (synthetic)")
    expect(form.get_by_test_id("places-urology/stones")).to_be_checked()
    form.get_by_test_id("field-monthly").fill("7")
    form.get_by_test_id("department-save").click()
    expect(row).to_contain_text("7")

    api = api_of(demo, person, "coordinator")
    physician = row.get_by_test_id("physician").get_attribute("data-physician")
    proposal = asked(demo, api, f"/api/cases/{CASE_ID}/match")["proposal"]
    chosen = {"department": unit, "physician": physician, "why": "other", "note": "the new one"}
    asked(demo, api, f"/api/cases/{CASE_ID}/match/{proposal['id']}", chosen)
    first = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    search = {"from": first, "days": 14, "minutes": 60}
    slot = asked(demo, api, f"/api/cases/{CASE_ID}/slots", search)["slots"][0]
    hour = {"request": "request-1", "starts_at_ms": slot["starts_at_ms"], "minutes": 60}
    booked = asked(demo, api, f"/api/cases/{CASE_ID}/consultations", hour)["consultation"]

    row.get_by_test_id("close-open").click()
    expect(page.get_by_test_id("ending-hour")).to_contain_text("Asia/Almaty")
    expect(page.get_by_test_id("ending-hour")).to_contain_text("Asia/Seoul")
    expect(page.get_by_test_id("ending-now")).to_have_count(0)
    wide = picture_all(page, "department-booked", folder, "ending", languages=FOUR)
    page.keyboard.press("Escape")
    row.get_by_test_id("remove-open").click()
    expect(page.get_by_test_id("ending-booked")).to_be_visible()
    page.get_by_test_id("ending-cancel").click()

    off = {"request": "request-2", "side": "coordinator", "reason": "clinic"}
    asked(demo, api, f"/api/consultations/{booked}/cancel", off)
    row.get_by_test_id("remove-open").click()
    expect(page.get_by_test_id("ending-cases")).to_be_visible()
    wide += picture_all(page, "physician-out", folder, "ending", languages=FOUR)
    page.get_by_test_id("ending-now").click()
    expect(row.get_by_test_id("physician")).to_have_count(0)
    row.get_by_test_id("close-open").click()
    page.get_by_test_id("ending-now").click()
    expect(page.get_by_test_id("departments").get_by_test_id("form-done")).to_be_focused()
    expect(row.get_by_test_id("department-reopen")).to_be_visible()
    wide += picture_all(page, "department-closed", folder, "departments", languages=FOUR)
    row.get_by_test_id("department-reopen").click()
    expect(row.get_by_test_id("close-open")).to_be_visible()
    assert not wide, wide
