"""From the review page to a file on the reviewer's disk, and what a browser's player makes of it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from playwright.sync_api import Page, Route

from tests.browser.test_screenshots import LANGUAGES, SIZES, choose
from tests.integration.export_rig import pictures
from tests.support.analysis import colour_of
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo, until
from tests.support.prepared import RECORDING, reviewed_demo
from tests.support.story import sign_in, wait_ready

pytestmark = [pytest.mark.browser, pytest.mark.pages]

PLAY = """
async ([address, at]) => {
  const video = document.createElement('video');
  video.muted = true; video.preload = 'auto'; video.src = address;
  const once = (name) => new Promise((done, fail) => {
    video.addEventListener(name, done, { once: true });
    video.addEventListener('error', () => fail(new Error(`error ${video.error?.code}`)), { once: true });
  });
  await once('loadeddata');
  const seeked = once('seeked');
  video.currentTime = at;
  await seeked;
  const canvas = document.createElement('canvas'); canvas.width = 1280; canvas.height = 720;
  const paint = canvas.getContext('2d');
  for (let tries = 0; tries < 200; tries += 1) {  // the frame is handed over some time after "seeked"
    paint.drawImage(video, 0, 0);
    if (paint.getImageData(320, 320, 1, 1).data[3]) break;
    await new Promise((done) => setTimeout(done, 50));
  }
  const colour = (x) => [...paint.getImageData(x, 320, 1, 1).data].slice(0, 3);
  return { duration: video.duration, at: video.currentTime, size: [video.videoWidth, video.videoHeight],
    left: colour(320), right: colour(960) };
}
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with reviewed_demo(tmp_path_factory.mktemp("demo")) as started:
        yield started


@pytest.fixture(scope="module")
def reviewer(demo: Demo, crowd: Crowd) -> tuple[Person, Page]:
    person = crowd.person()
    page = sign_in(person, demo, "reviewer")
    wait_ready(demo, page, RECORDING, 60)
    page.goto(f"{demo.base_url}/review/{RECORDING}")
    page.get_by_test_id("review-play").wait_for()
    return person, page


def seek(page: Page, ms: int) -> None:
    script = "(e, ms) => { e.value = ms; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    page.get_by_test_id("review-seek").evaluate(script, ms)


def test_a_clip_goes_from_marks_on_the_page_to_a_file_that_plays(
    reviewer: tuple[Person, Page], tmp_path: Path
) -> None:
    person, page = reviewer
    page.get_by_test_id("export-open").click()
    page.get_by_test_id("export-none").wait_for()
    page.get_by_test_id("export-clip").check()
    seek(page, 2000)
    page.get_by_test_id("clip-start").click()
    seek(page, 5000)
    page.keyboard.press("o")
    assert page.get_by_test_id("clip-from").get_attribute("data-ms") == "2000"
    assert page.get_by_test_id("clip-to").get_attribute("data-ms") == "5000"
    page.get_by_test_id("export-start").click()
    row = page.get_by_test_id("export-row")
    until("the file is ready", lambda: row.get_attribute("data-state") == "ready", 60)
    page.get_by_test_id("export-download").click()
    row.locator("[role=alert]").wait_for()
    page.get_by_test_id("export-reason").select_option("second_opinion")
    with page.expect_download() as coming:
        page.get_by_test_id("export-download").click()
    assert coming.value.suggested_filename.startswith("hyeopjin-")
    file = tmp_path / "clip.mp4"
    coming.value.save_as(file)
    film = file.read_bytes()
    with av.open(io.BytesIO(film)) as box:
        assert box.streams.video[0].codec_context.name == "h264"
    assert len(pictures(film)) == 45
    check_in_the_browser(page, film)
    assert not [line for line in person.console if line.startswith("uncaught:")]


def check_in_the_browser(page: Page, film: bytes) -> None:
    """A player that is not ours: length, seeking, and the colours where they belong."""

    def serve(route: Route) -> None:
        start = int(route.request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        span = {"Content-Range": f"bytes {start}-{len(film) - 1}/{len(film)}", "Accept-Ranges": "bytes"}
        route.fulfill(status=206, body=film[start:], headers={"Content-Type": "video/mp4", **span})

    page.route("**/static/film.mp4", serve)
    seen = page.evaluate(PLAY, ["/static/film.mp4", 1.5])
    assert abs(seen["duration"] - 3.0) < 0.1
    assert abs(seen["at"] - 1.5) < 0.05
    assert seen["size"] == [1280, 720]
    named = [voice.name if (voice := colour_of(seen[side])) else None for side in ("left", "right")]
    assert named == ["red", "green"]


def test_a_still_is_the_present_moment_and_a_file_can_be_deleted(reviewer: tuple[Person, Page]) -> None:
    _, page = reviewer
    page.get_by_test_id("still").check()
    seek(page, 3000)
    page.get_by_test_id("export-start").click()
    ready = page.locator("[data-testid=export-row][data-state=ready]")
    until("two files", lambda: ready.count() == 2, 60)
    newest = ready.first
    newest.get_by_test_id("export-reason").select_option("treatment")
    with page.expect_download() as coming:
        newest.get_by_test_id("export-download").click()
    assert coming.value.path().read_bytes().startswith(b"\x89PNG")
    newest.get_by_test_id("export-delete").click()
    gone = page.locator("[data-testid=export-row][data-state=destroyed]")
    until("it is gone", lambda: gone.count() == 1, 10)


def test_beside_a_bundle_stands_the_fingerprint_of_the_key_in_it(
    reviewer: tuple[Person, Page], output: Path
) -> None:
    _, page = reviewer
    page.get_by_test_id("export-bundle").check()
    page.get_by_test_id("export-start").click()
    key = page.get_by_test_id("bundle-key")
    until("the bundle is ready", lambda: key.count() == 1, 60)
    row = page.locator("[data-testid=export-row]", has=key)
    row.get_by_test_id("export-reason").select_option("legal")
    with page.expect_download() as coming:
        row.get_by_test_id("export-download").click()
    with zipfile.ZipFile(coming.value.path()) as bundle:
        wanted = hashlib.sha256(bundle.read("public.pem")).hexdigest()
    assert key.get_attribute("data-key") == wanted
    assert "".join(key.inner_text().split()) == wanted
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    for language in LANGUAGES:
        choose(page, language)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            row.screenshot(path=folder / f"export-bundle-{language}-{width}.png")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), (language, width)
