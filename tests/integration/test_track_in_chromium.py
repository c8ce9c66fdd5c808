"""A finished track in the browser that reviewers use: finite duration, seekable by ranges, the right
picture.
"""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.support.recorded import Person, in_order
from tests.support.studio import Studio, track

ANNA = Person("seat-synthetic-0001", (120, 60, 60))
GREEN = (130, 60, 60)
PAGE = b"<!doctype html><title>t</title><video id=v src=/camera muted></video><audio id=a src=/audio></audio>"


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """A tiny server of byte ranges; also gives the ranges that were asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, data = (
                ("text/html", PAGE) if self.path == "/" else ("video/webm", files.get(self.path[1:], b""))
            )
            begin, end, status = 0, len(data), 200
            wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if wanted and self.path != "/":
                asked.append(f"{self.path} {wanted[0]}")
                begin, status = int(wanted[1]), 206
                end = min(int(wanted[2] or end - 1) + 1, len(data))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(end - begin))
            self.send_header("Accept-Ranges", "bytes")
            if status == 206:
                self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
            self.end_headers()
            try:
                self.wfile.write(data[begin:end])
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SEEK = """async at => {
  const video = document.getElementById('v');
  const sought = new Promise(done => video.addEventListener('seeked', done, {once: true}));
  // 'seeked' may come before the new picture is handed over for drawing
  const shown = new Promise(done => {
    const look = (_, frame) =>
      Math.abs(frame.mediaTime - at) < 0.2 ? done() : video.requestVideoFrameCallback(look);
    video.requestVideoFrameCallback(look);
  });
  video.currentTime = at;
  await Promise.all([sought, shown]);
  const canvas = new OffscreenCanvas(8, 8), context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 8, 8);
  return [video.currentTime, ...context.getImageData(4, 4, 1, 1).data];
}"""
READY = """() => Promise.all(['v', 'a'].map(id => new Promise((done, failed) => {
  const media = document.getElementById(id);
  media.addEventListener('error', () => failed(new Error(id + media.error.message)));
  const ready = () => done([media.duration, media.seekable.end(0), media.videoWidth || 0]);
  if (media.readyState >= 1) ready(); else media.addEventListener('loadedmetadata', ready);
})))"""


@pytest.mark.browser
def test_chromium_seeks_in_a_finished_track(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    wall = studio.wall_ns
    red = replace(ANNA, colour=(80, 90, 220), video_ssrc=77, seq=5)
    first = in_order(ANNA.video(0.5, 20.0, wall), ANNA.audio(0.5, 30.0, wall))
    studio.session({ANNA.peer: in_order(iter(first), red.video(20.5, 10.0, wall))})
    result = studio.finalise()
    files = {kind: studio.plain(track(result, ANNA.peer, kind)) for kind in ("camera", "audio")}
    with served(files) as (url, asked), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        (length, seekable, width), (sound, sound_seekable, _) = page.evaluate(READY)
        assert abs(length - 30) < 0.2
        assert abs(sound - 30) < 0.2
        assert (seekable, sound_seekable, width) == (length, sound, 160)
        at, r, g, b, _ = page.evaluate(SEEK, 25)
        assert abs(at - 25) < 0.1
        assert r > g + 60, (r, g, b)
        at, r, g, b, _ = page.evaluate(SEEK, 7.3)
        assert g > r + 60, (r, g, b)
        browser.close()
    assert any(line.startswith("/camera bytes=0-") for line in asked)
