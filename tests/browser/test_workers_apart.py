"""Two consultations on two media workers: one worker dies, the other's pages see nothing of it.

Then all four people are on one worker that carries four: a fifth waits at the door and gets in by themselves.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.runtime.operator_socket import ask
from tests.support import probes, pulse
from tests.support.browsers import Crowd
from tests.support.demo import Demo, running, until
from tests.support.fakes import GREEN, RED
from tests.support.second import second_consultation
from tests.support.story import Guest, come_in, join

pytestmark = [pytest.mark.browser, pytest.mark.long]

BACK_WITHIN_S = 10.0
STALL_S = 2.5
"""Two rooms share this machine's cores with their browsers: a hiccup of pictures is theirs."""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    env = {"HYEOPJIN_MEDIA_WORKERS": "2", "HYEOPJIN_MEDIA_MAX_PEOPLE": "4"}
    with running(tmp_path_factory.mktemp("two-workers"), env) as demo:
        yield demo


def workers(demo: Demo) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in ask(demo.data / "run", {"op": "workers"})["workers"]}


def in_second_room(first: Guest, urls: dict[str, str]) -> Guest:
    """The same person in another tab: a seat of the second consultation."""
    page = first.person.page()
    come_in(page, urls[first.role])
    return Guest(first.person, page, first.role, urls[first.role].split("#")[0].rsplit("/", 1)[1])


def test_a_workers_death_moves_its_room_and_the_others_pages_see_nothing(two: Demo, crowd: Crowd) -> None:
    red = join(crowd.person(RED, init=pulse.SCRIPT), two, "referring_physician")
    victim = until("one room", lambda: [w for w in workers(two).values() if w["rooms"]])[0]
    urls = second_consultation(two)
    green = join(crowd.person(GREEN, init=pulse.SCRIPT), two, "consulting_physician")
    other_red, other_green = in_second_room(red, urls), in_second_room(green, urls)
    probes.wait_for_tone(red.page, green.seat, green.voice)
    probes.wait_for_tone(other_red.page, other_green.seat, other_green.voice)
    assert [one["rooms"] for one in workers(two).values()] == [1, 1]
    until("pictures", lambda: probes.advancing(other_red.page, other_green.seat))

    before = pulse.read(other_red.page)
    pulse.forget_stalls(other_red.page)
    os.kill(victim["pid"], signal.SIGKILL)
    died = time.monotonic()
    for one, another in ((red, green), (green, red)):
        until(
            "pictures move again",
            lambda one=one, another=another: probes.advancing(one.page, another.seat),  # type: ignore[misc]
            max(0.1, died + BACK_WITHIN_S - time.monotonic()),
        )
    took = time.monotonic() - died
    probes.wait_for_tone(red.page, green.seat, green.voice)
    after = pulse.read(other_red.page)
    seen = pulse.between(before, after)
    print(f"back after {took:.1f} s; the other room: {seen.line()}")  # noqa: T201 - a figure for people
    assert took < BACK_WITHIN_S
    assert (seen.lost, after.connections, after.ice) == (0, before.connections, before.ice)
    assert seen.stall_s < STALL_S
    tone = other_red.page.get_by_test_id("connection").get_attribute("data-tone")
    assert tone == "calm", "the page says nothing of it"
    until("the worker is back", lambda: all(one["state"] == "serving" for one in workers(two).values()), 20)
    told = workers(two)
    assert told[victim["name"]]["rooms"] == 0, "the room stays where it moved to"
    assert max(one["people"] for one in told.values()) == 4

    full = red.person.page()
    full.goto(two.seat("interpreter")["room_url"])
    full.get_by_test_id("consent-accept").click()
    full.get_by_test_id("join").click()
    full.get_by_test_id("full").wait_for()
    assert full.get_by_test_id("full-retry").is_enabled()
    other_green.page.get_by_test_id("leave").click()
    full.locator("[data-testid=tile][data-self]").wait_for(timeout=25_000)
    assert full.get_by_test_id("full").count() == 0


def test_what_the_two_workers_wrote_is_one_recording_each_with_the_gap_named(two: Demo, crowd: Crowd) -> None:
    journals = sorted(Path(two.data / "journal").iterdir())
    epochs = sorted(len(list(journal.iterdir())) for journal in journals)
    assert epochs == [1, 2], "a new epoch of the room that moved, none of the other"
