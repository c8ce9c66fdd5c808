"""Nobody says or shows anything for a quarter of an hour: a recorder that stops itself is no recorder."""

from __future__ import annotations

import time

import pytest

from tests.support import decode
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import GREEN, RED
from tests.support.story import Guest, end, join, wait_recording

pytestmark = [pytest.mark.browser, pytest.mark.long]

MINUTES = 15
FRESH_S = 5.0


def silence(guest: Guest) -> None:
    for which in ("toggle-mic", "toggle-camera"):
        guest.page.get_by_test_id(which).click()


def watch(minutes: float, *guests: Guest) -> float:
    """Every second the light says recording, and what is stored is never old; the oldest seen, in seconds."""
    ends = time.monotonic() + 60 * minutes
    oldest = 0.0
    while time.monotonic() < ends:
        for guest in guests:
            state, until_ms = guest.light()
            assert state == "recording", (guest.role, state, guest.page.locator(".banner").all_inner_texts())
            oldest = max(oldest, time.time() - until_ms / 1000)
        guests[0].page.wait_for_timeout(1000)
    return oldest


def test_fifteen_minutes_of_silence_in_which_the_one_who_began_leaves_are_recorded(
    demo: Demo, crowd: Crowd
) -> None:
    first = join(crowd.person(RED), demo, "referring_physician")
    second = join(crowd.person(GREEN), demo, "consulting_physician")
    for guest in (first, second):
        wait_recording(guest)
        silence(guest)
    oldest = watch(MINUTES / 3, first, second)
    first.page.get_by_test_id("leave").click()
    oldest = max(oldest, watch(2 * MINUTES / 3, second))
    print(f"\n{MINUTES} min silent: stored at most {oldest:.1f} s ago at any moment")  # noqa: T201 - the figure
    assert oldest <= FRESH_S
    end(second)
    (recording,) = decode.recordings(demo.data)

    def sealed() -> bool:
        report = demo.command("recordings", "verify", recording)
        return bool(report["chain"] == "intact" and report["stored"][-1][1] >= MINUTES * 60_000)

    until("every minute of it is stored", sealed, 20)
