"""Consent taken back twice, once from a worker silent for long; the rest is in test_room_recording.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import APIRequestContext, Playwright

from server.services.demo import CASE_ID
from tests.support import decode, marks, switchable
from tests.support.acts import (
    SENDERS,
    SENT,
    change,
    click_as,
    recorded,
    until_recorded,
    until_unrecorded,
    withdraw_from_a_silent_worker,
)
from tests.support.browsers import Crowd
from tests.support.demo import Demo, running
from tests.support.fakes import BLUE, GREEN, RED, YELLOW
from tests.support.story import Guest, end, join, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]

STOPPED_S = 6.0
BESIDE = "Synthetic Patient"


@dataclass
class Told:
    demo: Demo
    own: Guest
    other: Guest
    recording: str


@pytest.fixture(scope="module")
def told(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Red is agreed to; what is said without consent is yellow; what is agreed to again is blue."""
    folder = tmp_path_factory.mktemp("withdrawn")
    with running(folder / "demo") as demo, Crowd(playwright, folder) as crowd:
        own = join(crowd.person(RED, init=SENDERS + switchable.script(RED)), demo, "referring_physician")
        other = join(crowd.person(GREEN), demo, "consulting_physician")
        wait_stored(own, 3)
        own.page.get_by_test_id("seat-recording").click()
        assert recorded(own)
        assert own.page.evaluate(SENT) == 2
        withdraw_from_a_silent_worker(demo, own, other, STOPPED_S)
        until_unrecorded(own, other)
        wait_stored(other, 2)

        change(BLUE, own, other)
        own.page.get_by_test_id("consent-change").click()
        until_recorded(own, other)
        wait_stored(own, 2)

        agreed_at_the_clinic(own.person.profile("ru").request, demo)
        click_as(own.page, YELLOW, "person-joins")
        until_unrecorded(own, other)
        change(BLUE, own, other)
        own.page.locator(".seat-recording input").first.fill(BESIDE)
        own.page.get_by_test_id("persons-accept").click()
        until_recorded(own, other)
        wait_stored(own, 2)
        end(other)
        (recording,) = decode.recordings(demo.data)
        yield Told(demo, own, other, recording)


def agreed_at_the_clinic(request: APIRequestContext, demo: Demo) -> None:
    """The patient has said yes to everything: who sits beside them is recorded only then. No page is opened
    for it, which would put the room's own out of sight."""
    account = demo.account("referring_physician")
    known = {"email": account["email"], "password": account["password"]}
    assert request.post(f"{demo.base_url}/api/sign-in", data=known).ok
    base = f"{demo.base_url}/api/cases/{CASE_ID}/consents"
    texts = request.get(f"{base}/texts/ru").json()["texts"]
    yes = [
        {key: text[key] for key in ("purpose", "version", "sha256")} | {"decision": "granted"}
        for text in texts
    ]
    body = {"language": "ru", "by": "patient", "name": "Пациент", "method": "typed", "decisions": yes}
    answer = request.post(base, data=body, headers={"Origin": demo.base_url})
    assert answer.ok, answer.text()


def test_what_was_said_without_consent_is_nowhere_and_the_rest_is_all_there(told: Told) -> None:
    contents = decode.decode_segments(told.demo.data, told.recording)
    own, other = contents[told.own.seat], contents[told.other.seat]
    assert own.names() == {RED.name, BLUE.name}
    assert other.names() == {GREEN.name}
    assert other.seconds > own.seconds + 5, "the other one goes on being recorded"


def test_each_consent_has_a_segment_and_a_grant_of_its_own(told: Told) -> None:
    grants = decode.grants_of(told.demo.data, told.recording, told.own.seat)
    assert len({grant for grant, _ in grants}) == 3, grants
    assert [reason for _, reason in grants[:2]] == ["withdrawn", "withdrawn"]


def test_the_last_consent_names_everybody_at_the_seat(told: Told) -> None:
    rows = marks.consents_of(told.demo.data, told.own.seat)
    assert [row[0] for row in rows] == ["granted", "declined", "granted", "declined", "granted"]
    assert [BESIDE in json.loads(row[1]) for row in rows] == [False, False, False, False, True]


def test_the_gaps_are_called_no_consent_and_the_chain_holds(told: Told) -> None:
    report = told.demo.command("recordings", "verify", told.recording)
    assert report["chain"] == "intact"
    for track in (t for t in report["tracks"] if t["peer"] == told.own.seat):
        assert {gap["cause"] for gap in track["gaps"]} == {"no_consent"}, track
