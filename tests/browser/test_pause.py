"""A pause outlives whatever falls, and nothing said in it is on any disk. See test_room_recording.py too."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Playwright

from media.recordstore import layout
from tests.support import decode, probes, switchable
from tests.support.acts import pause_banner, wait_paused
from tests.support.browsers import Crowd
from tests.support.demo import Demo, running, until
from tests.support.fakes import BLUE, GREEN, RED, YELLOW
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_recording, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]


@dataclass
class Told:
    """The consultation of this module: who was there and what it left behind."""

    demo: Demo
    chair: Guest
    other: Guest
    recording: str


def story(demo: Demo, crowd: Crowd, falls: Callable[[Guest, Guest], None]) -> Told:
    """Red and green before, yellow in the pause, blue after it, in both seats."""
    other = join(crowd.person(RED, init=switchable.script(RED)), demo, "referring_physician")
    chair = join(crowd.person(GREEN, init=switchable.script(GREEN)), demo, "consulting_physician")
    wait_stored(other, 3)
    assert other.page.get_by_test_id("pause-recording").count() == 0
    chair.page.get_by_test_id("pause-recording").click()
    wait_paused(chair, other)
    assert demo.seat("consulting_physician")["name"] in pause_banner(other)
    for guest in (chair, other):
        switchable.become(guest.page, YELLOW)
    probes.wait_for_colour(other.page, chair.seat, YELLOW)
    chair.page.get_by_test_id("pause-reason").select_option("examination")
    other.page.reload()
    wait_paused(chair, other, timeout=20)
    switchable.become(other.page, YELLOW)
    falls(chair, other)

    for guest in (chair, other):
        switchable.become(guest.page, BLUE)
    probes.wait_for_colour(other.page, chair.seat, BLUE, 20)
    time.sleep(1)  # what is still on its way was said in the pause
    chair.page.get_by_test_id("resume-recording").click()
    for guest in (chair, other):
        wait_recording(guest)
        assert not pause_banner(guest)
    wait_stored(other, 3)
    end(chair)
    recording = decode.recordings(demo.data)[0]
    wait_ready(demo, sign_in(crowd.people[0], demo, "reviewer"), recording, 60)
    return Told(demo, chair, other, recording)


def came_back(demo: Demo, chair: Guest, other: Guest, epoch: int) -> None:
    """After a death: media flows between the two again, in another epoch, and it is still paused."""
    (recording,) = decode.recordings(demo.data)
    until("the next epoch", lambda: epoch in layout.epochs_of(demo.data / "journal", recording), 30)
    wait_paused(chair, other, timeout=30)
    probes.wait_for_colour(other.page, chair.seat, YELLOW, 30)
    assert (chair.light()[0], other.light()[0]) == ("paused", "paused")


def gaps(told: Told) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told.demo.command("recordings", "verify", told.recording)["gaps"]
    return found


def test_a_pause_outlives_the_worker_and_the_server(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pause-deaths")
    with running(folder / "demo") as demo, Crowd(playwright, folder) as crowd:

        def deaths(chair: Guest, other: Guest) -> None:
            os.kill(demo.worker(), signal.SIGKILL)
            came_back(demo, chair, other, 2)
            demo.kill()
            demo.start()
            came_back(demo, chair, other, 3)

        told = story(demo, crowd, deaths)
        judge_contents(told)
        judge_gaps(told)
        assert {gap["cause"] for gap in gaps(told)} == {"paused", "worker_lost"}


def judge_contents(told: Told) -> None:
    contents = decode.decode_segments(told.demo.data, told.recording)
    assert contents[told.other.seat].names() == {RED.name, BLUE.name}
    assert contents[told.chair.seat].names() == {GREEN.name, BLUE.name}
    finished: set[str] = set()
    for content in decode.decode_finished(told.demo.data, told.recording).values():
        finished |= content.names()
    assert finished == {RED.name, GREEN.name, BLUE.name}


def judge_gaps(told: Told) -> None:
    paused = [gap for gap in gaps(told) if gap["cause"] == "paused"]
    assert paused
    whys = {(told.chair.seat, "examination"), (told.chair.seat, "other")}
    assert {(gap["by"], gap["why"]) for gap in paused} <= whys
    assert told.demo.command("recordings", "verify", told.recording)["chain"] == "intact"
    index, _ = decode.finished(told.demo.data, told.recording)
    for track in index["tracks"]:
        assert "paused" in {gap["cause"] for gap in track["gaps"]}, track["id"]
        for begin, finish in track["present"]:
            for gap in paused:
                assert min(finish, gap["to"]) - max(begin, gap["from"]) < 300, (track["id"], gap)
