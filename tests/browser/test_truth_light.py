"""What raises the alarm of the recording light and what does not; the rest is in test_room_recording.py."""

from __future__ import annotations

import re
import time

import pytest

from tests.support import switchable
from tests.support.acts import plate_name, recording_banner
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.story import join, wait_recording

pytestmark = [pytest.mark.browser, pytest.mark.long]

CAMERA = r"camera|камера|카메라"


def test_what_is_switched_off_or_out_of_sight_raises_no_alarm_and_a_dead_camera_does(
    demo: Demo, crowd: Crowd
) -> None:
    first = join(crowd.person(RED), demo, "referring_physician")
    second = join(crowd.person(GREEN, init=switchable.script(GREEN)), demo, "consulting_physician")
    third = join(crowd.person(BLUE), demo, "interpreter")
    guests = [first, second, third]
    for guest in guests:
        wait_recording(guest)
    for which in ("toggle-mic", "toggle-camera"):
        second.page.get_by_test_id(which).click()
    tab = first.person.context.new_page()
    tab.goto("about:blank")
    tab.bring_to_front()
    ends = time.monotonic() + 6
    while time.monotonic() < ends:
        assert [guest.light()[0] for guest in guests] == ["recording"] * 3
        third.page.wait_for_timeout(250)
    tab.close()
    second.page.get_by_test_id("toggle-camera").click()
    wait_recording(second)
    name = plate_name(second.page, second.seat)
    switchable.freeze(second.page, True)
    until("the dead camera is named", lambda: re.search(f"{name}.* – ({CAMERA})", recording_banner(third)), 8)
    until("on the own page too", lambda: name in recording_banner(second), 2)
    switchable.freeze(second.page, False)
    until("no banner", lambda: not recording_banner(third), 8)
