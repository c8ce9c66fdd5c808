"""The recording light in real browsers: who and what is named when a track does not reach the store."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright

from tests.support import switchable
from tests.support.browsers import Crowd
from tests.support.demo import running, until
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.faults import Starving
from tests.support.probes import words
from tests.support.story import Guest, join, wait_recording

pytestmark = pytest.mark.browser

WITHIN_S = 5.0
CAMERA, SOUND = r"camera|камера|카메라", r"sound|звук|소리|음성"


class Room:
    """Three people, the first of them at the seat whose camera the recorder can be starved of."""

    def __init__(self, starving: Starving, guests: list[Guest]) -> None:
        self.starving = starving
        self.guests = guests

    def named(self, guest: Guest) -> str:
        """The banner's words on one page, empty without a banner."""
        return words(guest.page, "recording-banner")

    def name(self, guest: Guest) -> str:
        return (
            guest.page.locator(f"[data-participant='{guest.seat}'] .plate-name").inner_text().split(" (")[0]
        )


@pytest.fixture(scope="module")
def room(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("truth")
    starving = Starving(folder / "starve")
    with running(folder / "demo", starving.env) as demo, Crowd(playwright, folder) as crowd:
        guests = [
            join(crowd.person(RED), demo, "referring_physician"),
            join(crowd.person(GREEN, init=switchable.script(GREEN)), demo, "consulting_physician"),
            join(crowd.person(BLUE), demo, "interpreter"),
        ]
        for guest in guests:
            wait_recording(guest)
        yield Room(starving, guests)


def test_one_track_that_never_reaches_the_recorder_is_named_on_every_page_within_five_seconds(
    room: Room,
) -> None:
    starved, _, third = room.guests
    name = room.name(starved)
    assert name
    with room.starving.of(starved.seat, "camera"):
        began = time.monotonic()
        for guest in room.guests:
            until("the banner", lambda guest=guest: room.named(guest), WITHIN_S + 2, 0.05)  # type: ignore[misc]
        took = time.monotonic() - began
        print(f"\nbanner on {len(room.guests)} pages after {took:.1f} s")  # noqa: T201 - the figure of the run
        assert took <= WITHIN_S
        for guest in room.guests:
            assert re.search(f"{name}.* – ({CAMERA})", room.named(guest)), room.named(guest)
            assert not re.search(f" – ({SOUND})", room.named(guest)), room.named(guest)
            assert guest.light()[0] == "degraded"
        third.page.reload()
        until("the banner after a reload", lambda: name in room.named(third), 15)
    for guest in room.guests:
        until("no banner", lambda guest=guest: not room.named(guest), 10)  # type: ignore[misc]
        wait_recording(guest)


@pytest.mark.long
def test_what_is_switched_off_or_out_of_sight_raises_no_alarm_and_a_dead_camera_does(room: Room) -> None:
    first, second, third = room.guests
    for which in ("toggle-mic", "toggle-camera"):
        second.page.get_by_test_id(which).click()
    tab = first.person.context.new_page()
    tab.goto("about:blank")
    tab.bring_to_front()
    ends = time.monotonic() + 6
    while time.monotonic() < ends:
        assert [guest.light()[0] for guest in room.guests] == ["recording"] * 3
        third.page.wait_for_timeout(250)
    tab.close()
    second.page.get_by_test_id("toggle-camera").click()
    wait_recording(second)
    name = room.name(second)
    switchable.freeze(second.page, True)
    until("the dead camera is named", lambda: re.search(f"{name}.* – ({CAMERA})", room.named(third)), 8)
    until("on the own page too", lambda: name in room.named(second), 2)
    switchable.freeze(second.page, False)
    until("no banner", lambda: not room.named(third), 8)


def test_it_goes_on_when_who_began_it_leaves(room: Room) -> None:
    first, second, third = room.guests
    first.page.get_by_test_id("leave").click()
    first.page.get_by_test_id("over").wait_for()
    before = wait_recording(second)
    until("more is stored", lambda: second.light()[1] > before + 3000, 10)
    assert (second.light()[0], third.light()[0]) == ("recording", "recording")
