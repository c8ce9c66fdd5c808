"""A coordinator finds, books, moves and cancels an hour; computers set to three zones agree on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

from server.services.demo import ALMATY, CASE_ID, SEOUL
from tests.browser.test_screenshots import choose, picture_all
from tests.support.accessible import findings
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo, until

pytestmark = [pytest.mark.browser, pytest.mark.pages]

ZONES = ("Asia/Almaty", "Asia/Seoul", "America/New_York")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = Demo(tmp_path_factory.mktemp("demo")).start()
    yield started
    started.kill()


@pytest.fixture(scope="module")
def person(crowd: Crowd) -> Person:
    return crowd.person()


def opened(person: Person, demo: Demo, role: str, zone: str, path: str) -> Page:
    """A page of somebody signed in, at a computer set to this zone."""
    context = person.browser.new_context(
        locale="en", timezone_id=zone, viewport={"width": 1440, "height": 900}, base_url=demo.base_url
    )
    context.on("weberror", lambda error: person.console.append(f"uncaught: {error.error}"))
    context.on("console", lambda message: person.console.append(f"{message.type}: {message.text}"))
    account = demo.account(role)
    body = {"email": account["email"], "password": account["password"]}
    assert context.request.post("/api/sign-in", data=body).ok
    page = context.new_page()
    page.goto(path)
    return page


def hour(page: Page, state: str) -> str:
    """When the hour in this state begins, as the page was told."""
    shown = page.locator(f"[data-testid=hour][data-state={state}]")
    shown.wait_for()
    return shown.get_attribute("data-starts") or ""


def test_an_hour_is_found_booked_moved_and_cancelled_by_keyboard_and_three_zones_agree(
    demo: Demo, person: Person, output: Path
) -> None:
    path = f"/cases/{CASE_ID}/schedule"
    page = opened(person, demo, "coordinator", "Asia/Seoul", path)
    page.get_by_test_id("language").select_option("en")
    day = datetime.now(UTC).date() + timedelta(days=7)
    page.get_by_test_id("schedule-from").fill(day.isoformat())
    page.get_by_test_id("schedule-days").select_option("31")
    page.get_by_test_id("schedule-find").press("Enter")
    first = page.get_by_test_id("slot").first
    first.wait_for()
    assert picture_all(page, "find-an-hour", output) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_test_id("language").select_option("en")
    starts = first.get_attribute("data-starts")
    assert "(Almaty Demo Clinic (synthetic))" in first.inner_text(), "whose room it is"
    zones = [one.get_attribute("data-zone") for one in first.get_by_test_id("clock").all()]
    assert zones == ["Asia/Almaty", "Asia/Seoul"]
    first.get_by_test_id("slot-book").press("Enter")
    page.get_by_test_id("schedule-done").wait_for()
    assert hour(page, "scheduled") == starts

    seen = set()
    for zone in ZONES:
        other = opened(person, demo, "referring_physician", zone, path)
        choose(other, "en")
        assert hour(other, "scheduled") == starts
        clocks = other.locator("[data-testid=hour] [data-testid=clock]").all_inner_texts()
        assert other.get_by_test_id("hour-move").count() == 0, "only a coordinator moves hours"
        other.goto("/worklist")
        row = other.locator("[data-testid=worklist-row][data-open]")
        row.get_by_test_id("worklist-join").wait_for()  # the demo's own, which is open now
        seen.add((*clocks, *row.locator(".places li").all_inner_texts()))
        other.context.close()
    assert len(seen) == 1, seen

    page.get_by_test_id("hour-move").press("Enter")
    page.get_by_test_id("schedule-find").press("Enter")
    later = page.locator(f"[data-testid=slot]:not([data-starts='{starts}'])").first
    to = later.get_attribute("data-starts")
    later.get_by_test_id("slot-move").press("Enter")
    page.get_by_test_id("move-side").select_option("patient")
    page.get_by_test_id("move-reason").select_option("travel")
    page.get_by_test_id("move-confirm").press("Enter")
    until("it was moved", lambda: hour(page, "scheduled") == to, 10)
    page.get_by_test_id("hour-cancel").press("Enter")
    assert page.evaluate("document.activeElement?.dataset.testid") == "cancel-side"
    page.get_by_test_id("cancel-confirm").press("Enter")
    assert hour(page, "cancelled") == to
    assert picture_all(page, "agreed-hours", output) == []
    assert person.errors() == []


def test_who_is_in_the_way_is_named(demo: Demo, person: Person, output: Path) -> None:
    page = opened(person, demo, "coordinator", "Asia/Seoul", f"/cases/{CASE_ID}/schedule")
    days = [datetime.now(UTC).date() + timedelta(days=n) for n in range(1, 8)]
    sunday = next(day for day in days if day.weekday() == 6)
    asked = {"from": sunday.isoformat(), "days": 1, "minutes": 60}
    page.route("**/slots", lambda route: route.continue_(post_data=asked))
    page.get_by_test_id("schedule-find").click()
    page.get_by_test_id("obstacles").wait_for()
    assert page.locator("[data-testid=obstacle][data-how=never]").count() >= 3
    assert page.locator("[data-cause=hours]").count() >= 3
    assert picture_all(page, "no-hour", output) == []
    assert findings(page) == [], "for axe-core; every page: test_accessible.py"


def test_a_new_centre_and_its_first_person_are_forms_that_say_what_is_wrong_beside_each_field(
    demo: Demo, person: Person
) -> None:
    page = opened(person, demo, "programme_admin", "Asia/Seoul", "/sites")
    page.get_by_test_id("language").select_option("en")
    page.locator("[data-testid=new-site] > summary").press("Enter")
    for field, text in (("name", "Bishkek Demo (synthetic)"), ("time_zone", "Bishkek"), ("emergency", "103")):
        page.get_by_test_id(f"field-{field}").fill(text)
    page.get_by_test_id("field-country").select_option("KG")
    page.get_by_test_id("field-emergency").press("Enter")
    assert page.locator("[data-testid=wrong][data-field=time_zone]").inner_text() == (
        "There is no such time zone. Choose one from the list, like Asia/Almaty."
    )
    assert page.evaluate("document.activeElement?.name") == "time_zone"
    page.get_by_test_id("field-time_zone").fill("Asia/Bishkek")
    page.get_by_test_id("field-time_zone").press("Enter")
    page.wait_for_url("**/sites/*")
    page.get_by_test_id("week-none").wait_for()
    page.get_by_test_id("week-office").press("Enter")
    page.get_by_test_id("to-0-0").fill("08:00")  # before it begins
    page.get_by_test_id("week-save").press("Enter")
    assert page.evaluate("document.activeElement?.dataset.testid") == "from-0-0"
    page.get_by_test_id("to-0-0").fill("13:00")
    page.get_by_test_id("week-save").press("Enter")
    page.locator("[data-testid=week] [data-testid=form-done]").wait_for()
    assert page.get_by_test_id("week-none").count() == 0
    page.get_by_test_id("field-room").fill("Room 1")
    page.get_by_test_id("field-room").press("Enter")
    page.get_by_test_id("site-room").wait_for()
    page.locator("[data-testid=new-person] > summary").press("Enter")
    people = page.get_by_test_id("people")
    people.get_by_test_id("field-name").fill("Врач Демо (synthetic)")
    people.get_by_test_id("field-email").fill("physician@bishkek.invalid")
    people.get_by_test_id("roles-referring_physician").press("Space")
    people.get_by_test_id("person-save").press("Enter")
    added = people.locator("[data-testid=person]:has([data-state=none])")
    added.get_by_role("link").press("Enter")
    page.get_by_test_id("licence-open").press("Enter")
    page.get_by_test_id("licence-save").wait_for()
    assert all("400 (Bad Request)" in error for error in person.errors()), person.errors()
    page.context.close()


@pytest.mark.long
def test_pictures_of_sites_and_people(demo: Demo, person: Person, output: Path) -> None:
    wide, before = [], person.errors()
    for role, path, name, at in (
        ("programme_admin", "/sites", "sites", ""),
        ("programme_admin", f"/sites/{SEOUL}", "site", ""),
        ("site_operator", f"/sites/{ALMATY}", "site-operator", ""),
        ("interpreter", "", "own-page", ""),
        ("consulting_physician", "", "physician-page", ""),
    ):
        page = opened(person, demo, role, "Asia/Seoul", path or "/worklist")
        if not path:
            page.get_by_test_id("to-own").click()
            page.get_by_test_id("feed").wait_for()
        page.locator("[data-testid=week], [data-testid=patients], [data-testid=people-list]").first.wait_for()
        wide += picture_all(page, name, output, at)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.screenshot(path=output / f"{name}-whole.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=output / f"{name}-whole-390.png", full_page=True)
        page.context.close()
    assert wide == []
    assert person.errors() == before
