"""A shared screen: seen large and sharp by the others, kept as a track of its own, checked and watched.

The browser's own dialogue is not driven here: `getDisplayMedia` gives a canvas, the same in any browser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.support import decode
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo, running, until
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_stored

pytestmark = pytest.mark.browser

SCREEN = """
if (navigator.mediaDevices) navigator.mediaDevices.getDisplayMedia = async () => {
  const canvas = document.createElement('canvas');
  canvas.width = 1280; canvas.height = 720;
  const paint = canvas.getContext('2d');
  let page = 0;
  setInterval(() => {
    paint.fillStyle = '__COLOUR__'; paint.fillRect(0, 0, 1280, 720);
    paint.fillStyle = '#fff'; paint.font = '40px sans-serif'; paint.fillText(`line ${page++}`, 40, 80);
  }, 200);
  return canvas.captureStream(15);
};
""".replace("__COLOUR__", f"rgb{BLUE.rgb}")

LOOK = """
(query) => {
  const video = document.querySelector(query);
  if (!video || !video.videoWidth || video.readyState < 2) return null;
  const canvas = document.createElement('canvas'); canvas.width = 8; canvas.height = 8;
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  paint.drawImage(video, 600, 400, 8, 8, 0, 0, 8, 8);
  const { width, height } = video.getBoundingClientRect();
  const colour = [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
  return { size: [video.videoWidth, video.videoHeight], colour, area: width * height };
}
"""
SHOWN = "[data-testid=screen-tile] [data-testid=screen-video]"
SENT = """
async () => Object.fromEntries([...(await window.__made.at(-1).getStats()).values()]
  .filter((s) => s.type === 'outbound-rtp' && s.kind === 'video' && s.mid === '2')
  .map((s) => [s.rid ?? '', [s.frameHeight ?? 0, s.framesEncoded ?? 0]]))
"""
KEEP = """
window.__made = [];
window.RTCPeerConnection = class extends window.RTCPeerConnection {
  constructor(...all) { super(...all); window.__made.push(this); }
};
"""


@dataclass
class Told:
    """What was seen while it was shared, and the recording."""

    demo: Demo
    sharer: Guest
    seen: dict[str, Any]
    face_area: float
    sent: dict[str, list[int]]
    gone: bool
    recording: str
    reviewer: Person


@pytest.fixture(scope="module")
def told(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with (
        running(tmp_path_factory.mktemp("screen")) as demo,
        Crowd(playwright, tmp_path_factory.mktemp("screen-fakes")) as crowd,
    ):
        sharer = join(crowd.person(RED, init=SCREEN + KEEP), demo, "consulting_physician")
        viewer = join(crowd.person(GREEN), demo, "referring_physician")
        wait_stored(sharer, 1)
        sharer.page.get_by_test_id("toggle-screen").click()
        sharer.page.get_by_test_id("sharing").wait_for()
        seen = until("the screen, sharp", lambda: look(viewer.page, SHOWN, 720), 20, 0.3)
        until(
            "the face beside it", lambda: viewer.page.locator(".rail [data-testid=remote-video]").count(), 5
        )
        face = viewer.page.locator(".rail [data-testid=remote-video]").first.bounding_box()
        assert face is not None
        # The second layer comes once the browser believes in the line, which the low one hardly fills.
        before = until("both layers go out", lambda: both(sharer.page), 60)
        wait_stored(sharer, 3)
        sent = {
            rid: [height, frames - before.get(rid, [0, 0])[1]]
            for rid, (height, frames) in sharer.page.evaluate(SENT).items()
        }
        sharer.page.get_by_test_id("toggle-screen").click()
        viewer.page.locator("[data-testid=screen-tile]").wait_for(state="detached", timeout=30_000)
        sharer.page.get_by_test_id("toggle-screen").click()  # a second time, on the same line
        until("the screen again", lambda: look(viewer.page, SHOWN, 720), 30, 0.3)
        wait_stored(sharer, 2)
        recording = decode.recordings(demo.data)[0]
        end(sharer)
        reviewer = crowd.person()
        wait_ready(demo, sign_in(reviewer, demo, "reviewer"), recording)
        for guest in (sharer, viewer):
            assert not [line for line in guest.person.errors() if line.startswith("uncaught")]
        yield Told(demo, sharer, seen, face["width"] * face["height"], sent, True, recording, reviewer)


def both(page: Page) -> dict[str, list[int]] | None:
    """Lines and frames of each layer of the screen, once the high one has sent a second's worth."""
    sent: dict[str, list[int]] = page.evaluate(SENT)
    return sent if sent.get("h", [0, 0])[1] > 15 else None


def look(page: Page, query: str, height: int) -> dict[str, Any] | None:
    seen: dict[str, Any] | None = page.evaluate(LOOK, query)
    return seen if seen and seen["size"][1] == height and close(seen["colour"], BLUE.rgb) else None


def close(colour: list[int], rgb: tuple[int, int, int]) -> bool:
    return all(abs(one - two) < 40 for one, two in zip(colour, rgb, strict=True))


def test_the_others_see_it_large_in_its_own_resolution(told: Told) -> None:
    assert told.seen["size"] == [1280, 720]
    assert told.seen["area"] > 4 * told.face_area


def test_it_is_sent_sharp_in_both_layers_and_the_low_one_gives_up_frames(told: Told) -> None:
    print(json.dumps(told.sent))  # noqa: T201 - the figures of the run
    assert set(told.sent) == {"l", "h"}, told.sent
    assert {height for height, _ in told.sent.values()} == {720}
    assert told.sent["l"][1] < max(told.sent["h"][1], 15), "over the same seconds"


def test_it_is_a_track_of_its_own_and_the_recording_is_intact(told: Told) -> None:
    index, plain = decode.finished(told.demo.data, told.recording)
    kept = {track["rid"]: track for track in index["tracks"] if track["kind"] == "screen"}
    assert {track["peer"] for track in kept.values()} == {told.sharer.seat}
    assert "h" in kept
    assert kept["h"]["height"] == 720
    content = decode.decode_file(plain[kept["h"]["file"].removesuffix(".sealed")])
    assert content.pictures == kept["h"]["frames"] > 10
    assert content.colours[BLUE.name] > 0.9 * content.pictures
    report = told.demo.command("recordings", "verify", told.recording)
    assert report["chain"] == "intact"


def test_the_review_plays_it(told: Told) -> None:
    page = told.reviewer.page()
    page.goto(f"{told.demo.base_url}/review/{told.recording}")
    lane = page.locator("[data-testid=lane][data-kind=screen]")
    lane.wait_for()
    assert lane.count() == 1
    assert lane.get_attribute("data-participant") == told.sharer.seat
    answer = page.request.get(f"{told.demo.base_url}/api/recordings/{told.recording}").json()
    shared = next(track["present"][0][0] for track in answer["tracks"] if track["kind"] == "screen")
    seek = "(e, ms) => { e.value = ms; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    page.get_by_test_id("review-seek").evaluate(seek, shared + 1000)
    page.get_by_test_id("review-play").click()
    query = f"[data-testid=review-video][data-media^='{told.sharer.seat}-screen']"
    until("the screen in the review", lambda: look(page, query, 720), 30, 0.3)
