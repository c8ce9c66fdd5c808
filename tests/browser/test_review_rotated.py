"""A phone that is turned in the middle: its picture is upright in the review, before and after."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from tests.browser.test_layers import on_disk
from tests.support import decode
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import RED
from tests.support.story import end, join, sign_in, wait_ready, wait_stored

pytestmark = pytest.mark.browser

# A camera whose sensor is 640x360: first held on its side (the scene's top is the sensor's top), then, once
# window.__turn is set, upright: the scene's top is at the sensor's left, and frames say "rotate me by 90
# degrees". The scene is white above and dark below.
PHONE = """
(() => {
  if (!navigator.mediaDevices) return;
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const context = new AudioContext();
    await context.resume();
    const out = context.createMediaStreamDestination();
    const tone = context.createOscillator();
    tone.connect(out); tone.start();
    const picture = new Uint8Array(640 * 360 * 3 / 2).fill(128);
    const generator = new MediaStreamTrackGenerator({ kind: 'video' });
    const writer = generator.writable.getWriter();
    let step = 0;
    setInterval(() => {
      const turned = Boolean(window.__turn);
      for (let y = 0; y < 360; y += 1) {
        if (turned) picture.fill(230, y * 640, y * 640 + 320).fill(20, y * 640 + 320, (y + 1) * 640);
        else picture.fill(y < 180 ? 230 : 20, y * 640, (y + 1) * 640);
      }
      step += 1;
      const frame = new VideoFrame(picture, {
        format: 'I420', codedWidth: 640, codedHeight: 360,
        timestamp: performance.now() * 1000, rotation: turned ? 90 : 0,
      });
      writer.write(frame).catch(() => {});
    }, 50);
    return new MediaStream([
      ...(wish.audio ? out.stream.getAudioTracks() : []), ...(wish.video ? [generator] : []),
    ]);
  };
})();
"""


def halves(picture: bytes) -> tuple[float, float]:
    """Brightness of a PNG's upper and lower half, in the middle third of its width."""
    frame = next(av.open(io.BytesIO(picture)).decode(video=0)).to_ndarray(format="gray").astype(np.float64)
    height, width = frame.shape
    middle = frame[:, width * 2 // 5 : width * 3 // 5]
    return float(middle[height // 8 : height * 3 // 8].mean()), float(
        middle[height * 5 // 8 : height * 7 // 8].mean()
    )


@pytest.mark.long
def test_a_phone_that_is_turned_is_upright_in_files_and_on_the_page(demo: Demo, crowd: Crowd) -> None:
    chair = join(crowd.person(RED), demo, "referring_physician")
    phone = join(crowd.person(init=PHONE), demo, "interpreter")
    wait_stored(phone, 1)
    (recording,) = decode.recordings(demo.data)
    until("a high layer", lambda: "h" in on_disk(demo, recording, phone), 60, 1)  # a busy browser's is late
    wait_stored(phone, 5)
    phone.page.evaluate("() => { window.__turn = true; }")
    wait_stored(phone, 6)
    end(chair)
    page = sign_in(crowd.person(), demo, "reviewer")
    wait_ready(demo, page, recording, 60)
    index, plain = decode.finished(demo.data, recording)
    row = next(t for t in index["tracks"] if t["id"] == f"{phone.seat}-camera")
    ((turned_ms, degrees),) = row["rotations"]
    assert degrees == 90
    assert row["present"][0][0] + 3000 < turned_ms < row["present"][-1][1] - 3000
    for frame in av.open(io.BytesIO(plain[row["file"].removesuffix(".sealed")])).decode(video=0):
        picture = frame.to_ndarray(format="gray").astype(np.float64)
        late = frame.time * 1000 + row["offset_ms"] >= turned_ms
        side, top = picture[:, : frame.width // 3].mean(), picture[: frame.height // 3].mean()
        assert (side > top + 50) == late, (frame.time, side, top)
    page.goto(f"{demo.base_url}/review/{recording}")
    seek = "(e, ms) => { e.value = ms; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    page.get_by_test_id("review-play").wait_for()
    begins, ends = row["present"][0][0], row["present"][-1][1]
    tile = page.locator(f"figure[data-participant='{phone.seat}']")
    video = tile.locator("video")

    def upright() -> bool:
        above, below = halves(tile.screenshot())
        return above > below + 60

    for at, turn in ((begins + 2000, "0"), (ends - 2000, "90"), (begins + 2500, "0")):
        page.get_by_test_id("review-seek").evaluate(seek, at)
        until(f"turned by {turn}", lambda turn=turn: video.get_attribute("data-turn") == turn, 10)  # type: ignore[misc]
        until(f"upright at {at}", upright, 10)
