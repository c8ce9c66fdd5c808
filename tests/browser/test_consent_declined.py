"""One of three declines to be recorded: nothing of that seat is anywhere in the recording, the others are."""

from __future__ import annotations

import pytest

from tests.browser.test_layers import on_disk
from tests.support import decode, probes
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_stored

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def session(demo: Demo, crowd: Crowd) -> tuple[dict[str, Guest], str]:
    """A consultation in which the interpreter declined; ended and finalised: (guests, recording)."""
    guests = {
        "referring": join(crowd.person(RED), demo, "referring_physician"),
        "consulting": join(crowd.person(GREEN), demo, "consulting_physician"),
        "declined": join(crowd.person(BLUE), demo, "interpreter", accept=False),
    }
    declined = guests["declined"]
    for guest in (guests["referring"], guests["consulting"]):
        # Takes part unrecorded: the others see and hear this seat all the while.
        probes.wait_for_colour(guest.page, declined.seat, declined.voice)
        probes.wait_for_tone(guest.page, declined.seat, declined.voice)
    wait_stored(guests["referring"], 6)
    recording = decode.recordings(demo.data)[0]
    for guest in (guests["referring"], guests["consulting"]):  # a busy browser begins it late
        until("a high layer", lambda guest=guest: "h" in on_disk(demo, recording, guest), 60, 1)  # type: ignore[misc]
    for guest in (guests["referring"], guests["consulting"]):
        tile = guest.page.locator(f"[data-testid=tile][data-participant='{declined.seat}']")
        assert tile.locator(".sign").count() >= 1  # everyone sees that this seat is not recorded
    end(guests["consulting"])
    wait_ready(demo, sign_in(crowd.people[0], demo, "reviewer"), recording)
    return guests, recording


def test_no_segment_holds_the_declining_seat(demo: Demo, session: tuple[dict[str, Guest], str]) -> None:
    guests, recording = session
    contents = decode.decode_segments(demo.data, recording)
    declined = contents.pop(guests["declined"].seat, decode.Content())
    assert declined.packets == 0
    assert contents[guests["referring"].seat].names() == {RED.name}
    assert contents[guests["consulting"].seat].names() == {GREEN.name}
    for content in contents.values():
        assert content.seconds > 5
        assert content.pictures > 30
        assert content.colours[next(iter(content.colours))] > 0.9 * content.pictures


def test_no_finished_track_holds_the_declining_seat(
    demo: Demo, session: tuple[dict[str, Guest], str]
) -> None:
    guests, recording = session
    finished = decode.decode_finished(demo.data, recording)
    assert len(finished) >= 4, sorted(finished)
    found: set[str] = set()
    for content in finished.values():
        found |= content.names()
    assert found == {RED.name, GREEN.name}
    index, _ = decode.finished(demo.data, recording)
    assert guests["declined"].seat not in {track["peer"] for track in index["tracks"]}
    for guest in (guests["referring"], guests["consulting"]):
        layers = {track["rid"] for track in index["tracks"] if track["peer"] == guest.seat}
        assert layers == {"", "l", "h"}, "the control holds both layers of a camera"


def test_the_recording_verifies(demo: Demo, session: tuple[dict[str, Guest], str]) -> None:
    _, recording = session
    report = demo.command("recordings", "verify", recording)
    assert report["recording"] == recording
    assert report["chain"] == "intact", report
