"""A call takes the microphone, it is silent, another program has the camera: said, mended by one touch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.test_screenshots import picture_all
from tests.support.browsers import Crowd
from tests.support.demo import Demo, running, until
from tests.support.selftest import open_test, steps_of, take_test
from tests.support.story import join, sign_in

pytestmark = pytest.mark.browser

# A microphone of digital silence until `hjLoud`, a camera that another program has while `hjBusy`.
DEVICES = """
window.hjBusy = false; window.hjGiven = { audio: [], video: [] };
navigator.mediaDevices.getUserMedia = async (wish) => {
  if (wish.video && window.hjBusy) throw new DOMException('in use', 'NotReadableError');
  const all = new MediaStream();
  if (wish.audio) {
    const context = new AudioContext(), gain = context.createGain(), tone = context.createOscillator();
    const out = context.createMediaStreamDestination();
    gain.gain.value = window.hjLoud ? 0.3 : 0;
    window.hjLouder = () => { window.hjLoud = true; gain.gain.value = 0.3; };
    tone.connect(gain).connect(out); tone.start();
    all.addTrack(out.stream.getAudioTracks()[0]);
  }
  if (wish.video) {
    const canvas = document.createElement('canvas');
    const paint = canvas.getContext('2d');
    setInterval(() => { paint.fillStyle = '#385'; paint.fillRect(0, 0, 300, 150); }, 100);
    all.addTrack(canvas.captureStream(10).getVideoTracks()[0]);
  }
  for (const track of all.getTracks()) window.hjGiven[track.kind].push(track);
  return all;
};
"""
TAKEN = """
(muted) => {
  const track = window.hjGiven.audio.at(-1);
  Object.defineProperty(track, 'muted', { value: muted, configurable: true });
  track.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
}
"""
ENDED = """
(kind) => {
  const track = window.hjGiven[kind].at(-1);
  track.stop();
  track.dispatchEvent(new Event('ended'));
}
"""


def trouble(page: Page) -> list[tuple[str, str]]:
    found = page.get_by_test_id("device-banner").evaluate_all(
        "(all) => all.map((e) => [e.dataset.kind, e.dataset.code])"
    )
    return [(kind, code) for kind, code in found]


def shows(page: Page, *wanted: tuple[str, str], within: float = 20.0) -> None:
    until(f"{wanted}", lambda: trouble(page) == list(wanted) or None, within)


def given(page: Page, kind: str) -> int:
    count: int = page.evaluate("(kind) => window.hjGiven[kind].length", kind)
    return count


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo"), {"HYEOPJIN_SELF_TEST_LINE_S": "3"}) as started:
        yield started


@pytest.fixture(scope="module")
def page(demo: Demo, crowd: Crowd) -> Page:
    return join(crowd.person(init=DEVICES), demo, "interpreter").page


def test_a_microphone_that_is_on_and_silent_is_named_until_it_is_heard(page: Page, output: Path) -> None:
    shows(page, ("audio", "silent"), within=30)
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    assert not picture_all(page, "room-silent-mic", folder, languages=("ru",))
    page.get_by_test_id("device-again").click()
    page.locator("hj-device-check").wait_for()
    page.get_by_test_id("settings").click()
    page.evaluate("window.hjLouder()")
    shows(page)


def test_a_phone_call_takes_the_microphone_and_one_touch_brings_it_back(page: Page) -> None:
    page.evaluate(TAKEN, True)
    shows(page, ("audio", "taken"))
    before = given(page, "audio")
    page.get_by_test_id("device-again").click()
    shows(page)
    assert given(page, "audio") == before + 1
    page.evaluate(TAKEN, True)
    shows(page, ("audio", "taken"))
    page.evaluate(TAKEN, False)  # hung up
    shows(page)


def test_a_microphone_that_ended_is_turned_on_again(page: Page) -> None:
    page.evaluate(ENDED, "audio")
    shows(page, ("audio", "ended"))
    page.get_by_test_id("device-again").click()
    shows(page)
    assert page.get_by_test_id("toggle-mic").get_attribute("aria-pressed") == "true"


def test_a_camera_that_another_program_has_is_named_and_tried_again(page: Page) -> None:
    page.evaluate("window.hjBusy = true")
    page.evaluate(ENDED, "video")
    shows(page, ("camera", "ended"))
    page.get_by_test_id("device-again").click()
    shows(page, ("camera", "busy"))
    page.evaluate("window.hjBusy = false")
    page.get_by_test_id("device-again").click()
    shows(page)
    assert page.get_by_test_id("toggle-camera").get_attribute("aria-pressed") == "true"


def test_a_refused_microphone_is_red_in_a_sites_self_test_and_the_rest_is_not(
    page: Page, demo: Demo, crowd: Crowd
) -> None:
    """With the browser's own refusal; the other red ones are in test_self_test.py and test_firewalls.py."""
    person = crowd.person(asks=True)
    person.context = person.browser.new_context(locale="ru", permissions=["camera"])  # and nothing else
    own = sign_in(person, demo, "site_operator")
    open_test(own, demo, "Room 3")
    take_test(own, heard=None)
    found = steps_of(own)
    assert [one["code"] for one in found["microphone"]["findings"]] == ["microphone_denied"]
    line = found.pop("line")["figures"]  # three seconds say no rate, on a machine with other work
    assert line["problem"] is None, line
    assert line["down_kbps"] > 0, line
    camera = found.pop("camera")  # nor do they say how many pictures it can give
    assert {one["code"] for one in camera["findings"]} <= {"camera_slow"}, camera
    verdicts = {step: row["verdict"] for step, row in found.items()}
    assert verdicts == {**dict.fromkeys(found, "green"), "microphone": "red", "loop": "red"}, found
    assert "«" in own.locator("[data-code=microphone_denied]").inner_text(), "which button to press"
    own.goto(demo.base_url + "/worklist")
    own.locator("[data-testid=readiness] [data-verdict=red]").wait_for()
    own.get_by_test_id("to-self-test").click()
    own.locator("[data-testid=site-test][data-verdict=red]").wait_for()
