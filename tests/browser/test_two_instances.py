"""Two people, each at a web instance of their own, in one room, recorded, and ended by one for both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import decode, probes
from tests.support.browsers import Crowd
from tests.support.demo import until
from tests.support.fakes import GREEN, RED
from tests.support.instances import Pair, pair
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_recording, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("pair")) as started:
        yield started


def silent(viewer: Guest, other: Guest) -> int:
    """How many tiles of the other say that the microphone is off."""
    return viewer.page.locator(f"[data-participant='{other.seat}'] .sign-off").count()


def moving(*guests: Guest) -> None:
    for one, other in (guests, guests[::-1]):
        until(
            "pictures move",
            lambda one=one, other=other: probes.advancing(one.page, other.seat),  # type: ignore[misc]
            15,
        )


def test_pages_at_two_instances_meet_in_one_room(both: Pair, crowd: Crowd) -> None:
    referring = join(crowd.person(RED), both.one, "referring_physician")
    consulting = join(crowd.person(GREEN), both.other, "consulting_physician")
    probes.wait_for_tone(referring.page, consulting.seat, consulting.voice)
    probes.wait_for_tone(consulting.page, referring.seat, referring.voice)
    wait_recording(referring)

    referring.page.get_by_test_id("toggle-mic").click()
    until("the mute is seen", lambda: silent(consulting, referring) == 1, 20)
    moving(referring, consulting)
    assert [len(probes.remote_participants(guest.page)) for guest in (referring, consulting)] == [1, 1]
    wait_stored(consulting, 2)

    end(consulting)
    referring.page.get_by_test_id("over").wait_for(timeout=15_000)
    recording = decode.recordings(both.one.data)[0]
    wait_ready(both.other, sign_in(crowd.people[0], both.other, "reviewer"), recording)
    report = both.one.command("recordings", "verify", recording)
    assert report["chain"] == "intact", report
