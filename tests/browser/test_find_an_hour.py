"""A coordinator finds, books, moves and cancels an hour; computers set to three zones agree on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

from server.services.demo import CASE_ID
from tests.browser.test_screenshots import picture_all
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo, until

pytestmark = pytest.mark.browser

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
    zones = [one.get_attribute("data-zone") for one in first.get_by_test_id("clock").all()]
    assert zones == ["Asia/Almaty", "Asia/Seoul"]
    first.get_by_test_id("slot-book").press("Enter")
    page.get_by_test_id("schedule-done").wait_for()
    assert hour(page, "scheduled") == starts

    seen = set()
    for zone in ZONES:
        other = opened(person, demo, "referring_physician", zone, path)
        other.get_by_test_id("language").select_option("en")
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
