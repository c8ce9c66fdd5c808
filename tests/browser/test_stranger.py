"""Somebody from outside: an ordinary browser without network flags, on a machine with one interface.

Only the fake camera and the automatic yes to its question are ours; candidates hide behind mDNS names and
loopback is no candidate, as in every browser as installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.support import networks, probes
from tests.support.browsers import CHROMIUM, Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import GREEN, RED
from tests.support.firefox import device_prefs
from tests.support.story import join, wait_recording

pytestmark = pytest.mark.browser


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[tuple[Demo, str]]:
    """A demo as anybody starts it (announcing what it finds) and the browser to meet it with."""
    if not networks.available():
        demo = Demo(tmp_path / "demo", announce=None).start()
        try:
            yield demo, CHROMIUM
        finally:
            demo.kill()
        return
    with networks.namespace() as prefix:
        demo = Demo(tmp_path / "demo", prefix=prefix, announce=None).start()
        try:
            yield demo, networks.wrapper(tmp_path, prefix, CHROMIUM)
        finally:
            demo.kill()


def test_two_ordinary_browsers_meet_and_are_recorded(
    inside: tuple[Demo, str], playwright: Playwright, tmp_path: Path
) -> None:
    demo, executable = inside
    with Crowd(playwright, tmp_path) as crowd:
        one = crowd.person(RED, flags=(), quiet=False, executable=executable)
        two = crowd.person(GREEN, flags=(), quiet=False, executable=executable)
        referring = join(one, demo, "referring_physician")
        consulting = join(two, demo, "consulting_physician")
        for here, there in ((referring, consulting), (consulting, referring)):
            probes.wait_for_colour(here.page, there.seat, there.voice, 20)
            probes.wait_for_tone(here.page, there.seat, there.voice, 20)
        wait_recording(referring)


def test_an_ordinary_firefox_meets_an_ordinary_chromium(playwright: Playwright, tmp_path: Path) -> None:
    with networks.some_interface(), Crowd(playwright, tmp_path) as crowd:
        demo = Demo(tmp_path / "demo", announce=None).start()
        try:
            fox = join(crowd.firefox(RED, prefs=device_prefs(RED)), demo, "referring_physician")
            chair = join(crowd.person(GREEN, flags=(), quiet=False), demo, "consulting_physician")
            probes.wait_for_colour(fox.page, chair.seat, GREEN, 20)
            probes.wait_for_tone(fox.page, chair.seat, GREEN, 20)
            until("its pictures move", lambda: probes.advancing(chair.page, fox.seat), 20)
            probes.wait_for_tone(chair.page, fox.seat, RED, 20)
            wait_recording(fox)
        finally:
            demo.kill()
