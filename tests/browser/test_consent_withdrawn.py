"""Consent taken back and given again while people talk: what the page sends, what is stored, what all see."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Playwright

from media.recordstore import layout
from media.recordstore.reader import SegmentReader
from tests.support import decode, marks, probes, switchable
from tests.support.browsers import Crowd
from tests.support.demo import Demo, running, until
from tests.support.fakes import BLUE, GREEN, RED, YELLOW, Voice
from tests.support.story import Guest, end, join, wait_stored

pytestmark = pytest.mark.browser

STOPPED_S = 6.0
BESIDE = "Synthetic Patient"
# What the page's only connection sends, told by the senders themselves.
SENDERS = """
(() => {
  const Original = window.RTCPeerConnection;
  window.hjConnections = [];
  window.RTCPeerConnection = class extends Original {
    constructor(...args) { super(...args); window.hjConnections.push(this); }
  };
})();
"""
SENT = """
() => window.hjConnections.filter((pc) => pc.connectionState !== 'closed')
  .flatMap((pc) => pc.getSenders()).filter((sender) => sender.track).length
"""
CLICK = """
([rgb, hz, id]) => { window.hjVoice(rgb, hz); document.querySelector(`[data-testid=${id}]`).click(); }
"""


@dataclass
class Told:
    demo: Demo
    own: Guest
    other: Guest
    recording: str


def click_as(page: Page, voice: Voice, test_id: str) -> None:
    """Touches a control and takes on another colour and tone in the same instant."""
    page.evaluate(CLICK, [list(voice.rgb), voice.tone, test_id])


def recorded(guest: Guest) -> bool:
    words = guest.page.get_by_test_id("seat-recorded")
    return words.get_attribute("data-recorded") == "true"


def signed(guest: Guest, seat: str) -> bool:
    """Whether this page shows that a seat is not recorded."""
    tile = guest.page.locator(f"[data-testid=tile][data-participant='{seat}']")
    return tile.locator(".sign-plain").count() == 1


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
        withdraw_from_a_silent_worker(demo, own, other)
        until_unrecorded(own, other)
        wait_stored(other, 2)

        switchable.become(own.page, BLUE)
        probes.wait_for_colour(other.page, own.seat, BLUE)
        time.sleep(1)  # what is still on its way was said without consent
        own.page.get_by_test_id("consent-change").click()
        until_recorded(own, other)

        click_as(own.page, YELLOW, "person-joins")
        until_unrecorded(own, other)
        switchable.become(own.page, BLUE)
        probes.wait_for_colour(other.page, own.seat, BLUE)
        time.sleep(1)
        own.page.locator(".seat-recording input").first.fill(BESIDE)
        own.page.get_by_test_id("persons-accept").click()
        until_recorded(own, other)
        end(other)
        (recording,) = decode.recordings(demo.data)
        yield Told(demo, own, other, recording)


def withdraw_from_a_silent_worker(demo: Demo, own: Guest, other: Guest) -> None:
    """Media says nothing for longer than any patience: the page sends nothing all the while."""
    worker = demo.worker()
    os.kill(worker, signal.SIGSTOP)
    try:
        click_as(own.page, YELLOW, "consent-change")
        ends = time.monotonic() + STOPPED_S
        while time.monotonic() < ends:
            assert own.page.evaluate(SENT) == 0
            assert own.page.get_by_test_id("withdrawal-banner").is_visible()
            assert recorded(own), "media has not said that it is over"
            own.page.wait_for_timeout(200)
        assert not signed(other, own.seat), "nobody is told what is not known yet"
    finally:
        os.kill(worker, signal.SIGCONT)


def until_unrecorded(own: Guest, other: Guest) -> None:
    until("media has confirmed", lambda: not recorded(own), 15)
    until("no banner", lambda: own.page.get_by_test_id("withdrawal-banner").count() == 0, 5)
    until("the other sees it", lambda: signed(other, own.seat), 5)
    until("the page sends again", lambda: own.page.evaluate(SENT) == 2, 15)
    probes.wait_for_colour(other.page, own.seat, YELLOW, 20)


def until_recorded(own: Guest, other: Guest) -> None:
    until("it is recorded again", lambda: not signed(other, own.seat) and own.light()[0] == "recording", 15)
    wait_stored(own, 2)


def test_what_was_said_without_consent_is_nowhere_and_the_rest_is_all_there(told: Told) -> None:
    contents = decode.decode_segments(told.demo.data, told.recording)
    own, other = contents[told.own.seat], contents[told.other.seat]
    assert own.names() == {RED.name, BLUE.name}
    assert other.names() == {GREEN.name}
    assert other.seconds > own.seconds + 5, "the other one goes on being recorded"


def test_each_consent_has_a_segment_and_a_grant_of_its_own(told: Told) -> None:
    keys = decode.keys_of(told.demo.data, told.recording)
    grants = []
    for epoch in layout.epochs_of(told.demo.data / "journal", told.recording):
        for path in layout.segments_of(told.demo.data / "journal", told.recording, epoch):
            if path.name.startswith(told.own.seat):
                with SegmentReader(path, keys[told.own.seat]) as reader:
                    list(reader.seals())
                    assert reader.report.header is not None
                    grants.append((reader.report.header.grant, reader.report.reason))
    assert len({grant for grant, _ in grants}) == 3, grants
    assert [reason for _, reason in grants[:2]] == ["withdrawn", "withdrawn"]


def test_the_last_consent_names_everybody_at_the_seat(told: Told) -> None:
    with contextlib.closing(sqlite3.connect(told.demo.data / marks.DATABASE)) as db:
        rows = db.execute(
            "SELECT decision, persons FROM consents WHERE seat_id = ? ORDER BY at_ms", (told.own.seat,)
        ).fetchall()
    assert [row[0] for row in rows] == ["granted", "declined", "granted", "declined", "granted"]
    assert [BESIDE in json.loads(row[1]) for row in rows] == [False, False, False, False, True]


def test_the_gaps_are_called_no_consent_and_the_chain_holds(told: Told) -> None:
    report = told.demo.command("recordings", "verify", told.recording)
    assert report["chain"] == "intact"
    for track in (t for t in report["tracks"] if t["peer"] == told.own.seat):
        assert {gap["cause"] for gap in track["gaps"]} == {"no_consent"}, track
