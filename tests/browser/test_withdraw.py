"""Consent withdrawn on the page of the case: a lane gone with its sentence, the others play, a receipt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.test_screenshots import picture_all
from tests.support import decode, probes
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import GREEN, RED
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_stored

pytestmark = pytest.mark.browser


def open_case(page: Page) -> None:
    page.get_by_test_id("worklist-row").first.locator("a[href^='/cases/']").first.click()
    page.get_by_test_id("kept").first.wait_for()


@pytest.fixture(scope="module")
def over(demo: Demo, crowd: Crowd) -> tuple[Guest, Guest]:
    """A consultation of two that is over and recorded: who referred, and the chair."""
    referring = join(crowd.person(RED), demo, "referring_physician")
    chair = join(crowd.person(GREEN), demo, "consulting_physician")
    wait_stored(chair, 5)
    end(chair)
    return referring, chair


@pytest.mark.long
def test_a_withdrawal_from_the_case_page_takes_that_lane_and_leaves_the_others(
    over: tuple[Guest, Guest], demo: Demo, crowd: Crowd, output: Path
) -> None:
    patient_side, chair = over
    gone, stays = patient_side.seat, chair.seat
    recording = decode.recordings(demo.data)[0]
    patient_side.person.close()
    reviewer = crowd.person()
    review = sign_in(reviewer, demo, "reviewer")
    wait_ready(demo, review, recording)
    open_case(review)
    assert review.get_by_test_id("withdraw").count() == 0, "a reviewer withdraws nobody's consent"

    physician = crowd.person()
    page = sign_in(physician, demo, "referring_physician")
    open_case(page)
    dates = page.get_by_test_id("kept-until").first.locator("li")
    until("the date at both places", lambda: dates.count() == 2, 20)
    assert page.get_by_test_id("withdraw").count() == 1, "only for the seat of one's own"
    page.locator(f"[data-testid=withdraw][data-seat='{gone}']").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("withdraw-confirm").wait_for()
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    assert not picture_all(page, "case-withdraw", folder, "withdraw-confirm")
    page.keyboard.press("Escape")
    assert page.get_by_test_id("withdraw-confirm").count() == 0
    page.get_by_test_id("withdraw").click()
    page.get_by_test_id("withdraw-now").click()
    page.locator(f"[data-testid=kept-seat][data-seat='{gone}'][data-withdrawn]").wait_for()
    page.get_by_test_id("receipt").wait_for(timeout=20_000)
    assert not picture_all(page, "case-receipt", folder, "receipt")
    with page.expect_download() as told:
        page.get_by_test_id("receipt").locator("a").click()
    envelope = json.loads(told.value.path().read_text())
    assert envelope["payloadType"] == "application/vnd.hyeopjin.destruction+json"
    (verified,) = demo.command("receipts", "verify")
    assert (verified["seat"], verified["faults"]) == (gone, [])

    review.goto(f"{demo.base_url}/review/{recording}")
    review.get_by_test_id("review-play").wait_for()
    lanes = review.locator("[data-testid=lane-withdrawn]")
    assert {lane.get_attribute("data-participant") for lane in lanes.all()} == {gone}
    assert lanes.first.locator("p").inner_text().strip()
    kept = {lane.get_attribute("data-participant") for lane in review.get_by_test_id("lane").all()}
    assert kept == {stays}
    review.get_by_test_id("review-play").click()
    until("green on screen", lambda: probes.look_review(review, stays) == GREEN.name, 10)
    assert not picture_all(review, "review-withdrawn", folder)
    assert not picture_all(review, "review-withdrawn-lane", folder, "lane-withdrawn")
    track = review.request.get(f"{demo.base_url}/api/recordings/{recording}/tracks/{gone}-audio")
    assert (track.status, track.json()["error"]["code"]) == (410, "withdrawn")
    withdraw_by_link(chair, folder)
    assert [receipt["seat"] for receipt in demo.command("receipts", "verify")] == [gone, stays]
    for person in (reviewer, physician, chair.person):
        assert not [line for line in person.console if line.startswith("uncaught:")]


def withdraw_by_link(guest: Guest, folder: Path) -> None:
    """By somebody who came by link, with the keyboard, on the page that says it is over, opened again."""
    page = guest.page
    page.reload()
    page.get_by_test_id("past-withdraw").wait_for()
    assert page.get_by_test_id("over").get_attribute("data-code") == "ended"
    assert page.get_by_test_id("past-recording").get_attribute("data-state") == "kept"
    assert not picture_all(page, "past", folder)
    page.get_by_test_id("past-withdraw").focus()
    page.keyboard.press("Enter")
    page.locator("[data-testid=past-keep]:focus").wait_for()
    assert not picture_all(page, "past-confirm", folder, "past-confirm")
    page.get_by_test_id("past-keep").focus()
    page.keyboard.press("Escape")
    page.locator("[data-testid=past-withdraw]:focus").wait_for()
    page.keyboard.press("Enter")
    page.locator("[data-testid=past-keep]:focus").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_test_id("past-receipt").wait_for(timeout=20_000)
    assert page.get_by_test_id("past-receipt").get_attribute("data-number") == "2"
    assert page.get_by_test_id("past-withdraw").count() == 0
    assert not picture_all(page, "past-receipt", folder, "past-receipt")
    with page.expect_download() as told:
        page.get_by_test_id("past").locator("a[download]").click()
    assert json.loads(told.value.path().read_text())["payloadType"].endswith("destruction+json")


@pytest.mark.usefixtures("over")
def test_the_privacy_officer_holds_a_case_and_lifts_the_hold(demo: Demo, crowd: Crowd, output: Path) -> None:
    officer = crowd.person()
    page = sign_in(officer, demo, "privacy_officer")
    page.get_by_test_id("to-retention").click()
    page.get_by_test_id("hold-form").wait_for()
    page.get_by_test_id("hold-set").click()
    page.get_by_test_id("hold-row").wait_for()
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    assert not picture_all(page, "retention", folder)
    reader = sign_in(crowd.person(), demo, "coordinator")
    reader.goto(f"{demo.base_url}/retention")
    reader.get_by_test_id("hold-row").wait_for()
    assert reader.get_by_test_id("hold-lift").count() == 0
    open_case_page = sign_in(crowd.person(), demo, "reviewer")
    open_case(open_case_page)
    open_case_page.get_by_test_id("hold-banner").wait_for()
    page.locator("[data-testid=hold-lift][data-reason=mistake]").focus()
    page.keyboard.press("Enter")
    page.locator("[data-testid=lift-cancel]:focus").wait_for()
    assert not picture_all(page, "retention-lift", folder, "lift-confirm")
    page.get_by_test_id("lift-cancel").focus()
    page.keyboard.press("Escape")
    page.locator("[data-testid=hold-lift][data-reason=mistake]:focus").wait_for()
    assert page.get_by_test_id("hold-row").count() == 1
    page.keyboard.press("Enter")
    page.get_by_test_id("lift-now").click()
    page.get_by_test_id("hold-row").wait_for(state="detached")
    change_period(page, reader, folder)
    assert not [line for line in officer.console if line.startswith("uncaught:")]


def change_period(page: Page, reader: Page, folder: Path) -> None:
    """A shorter class is confirmed before it can be set, an extension is given once; with the keyboard."""
    row = page.get_by_test_id("period-row")
    row.wait_for()
    before = row.get_attribute("data-class")
    page.get_by_test_id("period-class-open").focus()
    page.keyboard.press("Enter")
    page.locator("[data-testid=period-pick]:focus").wait_for()
    assert page.get_by_test_id("period-set").is_disabled(), "nothing is changed yet"
    page.get_by_test_id("period-pick").select_option("teaching")
    page.get_by_test_id("period-until").wait_for()
    assert page.get_by_test_id("period-set").is_disabled(), "a shorter period is to be confirmed"
    assert not picture_all(page, "retention-shorter", folder, "period-form")
    page.get_by_test_id("period-pick").focus()
    page.keyboard.press("Escape")
    page.locator("[data-testid=period-class-open]:focus").wait_for()
    assert row.get_attribute("data-class") == before == "consultation"
    page.keyboard.press("Enter")
    page.get_by_test_id("period-pick").select_option("teaching")
    page.get_by_test_id("period-sure").focus()
    page.keyboard.press("Space")
    page.get_by_test_id("period-set").click()
    page.locator("[data-testid=period-row][data-class=teaching]").wait_for()
    page.get_by_test_id("period-extend-open").click()
    page.get_by_test_id("period-pick").select_option("2")
    assert not picture_all(page, "retention-extend", folder, "period-form")
    page.get_by_test_id("period-set").click()
    page.locator("[data-testid=period-row][data-extended='2']").wait_for()
    assert page.get_by_test_id("period-extend-open").count() == 0
    reader.reload()
    reader.locator("[data-testid=period-row][data-class=teaching]").wait_for()
    assert reader.get_by_test_id("period-class-open").count() == 0, "a coordinator only reads"
