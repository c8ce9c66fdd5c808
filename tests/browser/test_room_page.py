"""The room page in a person's hands: the link opened again, no devices, a camera that never answers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page

from server.services.demo import ALMATY, SEOUL, TELEPHONES
from tests.browser.test_screenshots import picture_all
from tests.support import probes
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo
from tests.support.fakes import RED
from tests.support.impairment import candidates
from tests.support.ports import free_port
from tests.support.story import Guest, join

pytestmark = pytest.mark.browser

NEVER_ANSWERS = "navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"
NO_DEVICES = (
    "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('none', 'NotFoundError'); };"
)
END_SEEN_S = 15.0  # three seconds to take it back, up to three to seal
REFUSES_SOUND_UNTOUCHED = """
const play = HTMLMediaElement.prototype.play;
let touched = false;
addEventListener('keydown', () => { touched = true; }, true);
HTMLMediaElement.prototype.play = function () {
  if (touched || this.muted) return play.call(this);
  this.pause();
  return Promise.reject(new DOMException('a touch is needed', 'NotAllowedError'));
};
"""


def own(page: Page) -> str | None:
    """The seat the page sits at, once it does."""
    return page.locator("[data-testid=tile][data-self]").get_attribute("data-participant", timeout=30_000)


@pytest.fixture(scope="module")
def red(demo: Demo, crowd: Crowd) -> Guest:
    return join(crowd.person(RED), demo, "referring_physician")


@pytest.fixture(scope="module")
def chair(demo: Demo, crowd: Crowd, red: Guest) -> Guest:
    return join(crowd.person(init=REFUSES_SOUND_UNTOUCHED), demo, "consulting_physician")


@pytest.fixture(scope="module")
def third(demo: Demo, crowd: Crowd) -> Person:
    """Somebody whose link is spent and whose consent is given, at the door."""
    person = crowd.person()
    page = person.page()
    page.goto(demo.seat("interpreter")["room_url"])
    page.get_by_test_id("consent-accept").click()
    page.get_by_test_id("consent-decided").wait_for()
    page.close()
    return person


def test_where_sound_needs_a_touch_the_picture_does_not_and_any_touch_will_do(
    red: Guest, chair: Guest
) -> None:
    chair.page.get_by_test_id("tap-to-hear").wait_for()
    probes.wait_for_colour(chair.page, red.seat, RED)
    muted = "() => [...document.querySelectorAll('[data-testid=remote-video]')].map((one) => one.muted)"
    assert chair.page.evaluate(muted) == [True]
    chair.page.keyboard.press("Shift")
    # The button goes once the browser has really begun to play, which is a little after the wish.
    chair.page.get_by_test_id("tap-to-hear").wait_for(state="detached")
    assert chair.page.evaluate(muted) == [False]


def test_the_same_link_opened_again_in_the_same_window_returns_to_the_seat(red: Guest, demo: Demo) -> None:
    url = demo.seat("referring_physician")["room_url"]
    red.page.goto(url)
    assert own(red.page) == red.seat
    assert "#" not in red.page.url
    red.page.get_by_test_id("leave").click()
    red.page.get_by_test_id("over").wait_for()
    red.page.goto(url)  # only the fragment differs: a browser loads nothing by itself
    red.page.get_by_test_id("join").click()
    assert own(red.page) == red.seat
    assert "#" not in red.page.url


def test_a_camera_that_never_answers_keeps_nobody_out(demo: Demo, third: Person) -> None:
    page = third.page()
    page.add_init_script(NEVER_ANSWERS)
    page.goto(f"{demo.base_url}/room/{demo.seat_id('interpreter')}")
    page.get_by_test_id("join").wait_for()
    page.get_by_test_id("join").click()
    assert own(page) == demo.seat_id("interpreter")
    for what in ("toggle-mic", "toggle-camera"):
        assert page.get_by_test_id(what).get_attribute("aria-pressed") == "false"
    page.get_by_test_id("leave").click()
    page.get_by_test_id("over").wait_for()
    page.close()


def test_turning_on_what_is_not_there_says_what_to_do_and_hides_nobody(
    demo: Demo, red: Guest, chair: Guest, third: Person
) -> None:
    page = third.page()
    page.add_init_script(NO_DEVICES)
    page.goto(f"{demo.base_url}/room/{demo.seat_id('interpreter')}")
    page.get_by_test_id("join").click()
    own(page)
    page.get_by_test_id("toggle-mic").click()
    page.locator(".panel .notice-warn").wait_for()
    probes.wait_for_colour(page, red.seat, RED)
    box = page.locator(f"[data-testid=tile][data-participant='{red.seat}']").bounding_box()
    assert box is not None
    assert box["width"] > 300, "the settings stand beside the faces"


def test_who_gets_no_sound_and_picture_reads_whom_to_telephone(
    demo: Demo, red: Guest, third: Person, output: Path
) -> None:
    page = third.page()
    page.add_init_script(candidates.init_script(free_port(), tcp=False))
    page.goto(f"{demo.base_url}/room/{demo.seat_id('interpreter')}")
    page.get_by_test_id("join").click()
    page.get_by_test_id("plan-b").wait_for(timeout=30_000)
    numbers = page.get_by_test_id("plan-b-number").all()
    assert [number.text_content() for number in numbers] == [TELEPHONES[ALMATY], TELEPHONES[SEOUL]]
    assert numbers[0].get_attribute("href") == f"tel:{TELEPHONES[ALMATY].replace(' ', '')}"
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    assert not picture_all(page, "plan-b", folder)
    assert red.page.get_by_test_id("plan-b").count() == 0
    page.close()


def test_a_refused_wish_is_said_in_the_room(chair: Guest) -> None:
    chair.page.evaluate(
        """() => document.querySelector('main').dispatchEvent(new CustomEvent('ask', {
          bubbles: true, detail: { type: 'admit', knock: 'knock-of-nobody-0000', accept: true } }))"""
    )
    chair.page.get_by_test_id("problem").wait_for()


def test_the_end_is_seen_by_everybody_soon_after_one_click(red: Guest, chair: Guest) -> None:
    began = time.monotonic()
    chair.page.get_by_test_id("end-consultation").click()
    for guest in (chair, red):
        guest.page.get_by_test_id("over").wait_for()
    assert time.monotonic() - began < END_SEEN_S
