"""How far a flash and its beep lie apart, in a finished recording and on a playing page. + = sound late."""

from __future__ import annotations

import io

import av
import numpy as np
from playwright.sync_api import Page

QUIET_MS = 300.0
BRIGHT = 140.0
LOUD = 0.08
APART_MS = 400.0

# Samples brightness and loudness of one participant's elements for some seconds; returns the onsets in ms.
WATCH = """
async ([participant, seconds]) => {
  const video = document.querySelector(`video[data-participant="${participant}"]`);
  const audio = document.querySelector(`audio[data-participant="${participant}"]`);
  const context = new AudioContext();
  await context.resume();
  const analyser = context.createAnalyser(); analyser.fftSize = 256;
  context.createMediaStreamSource(audio.captureStream()).connect(analyser);
  const samples = new Float32Array(256);
  const canvas = document.createElement('canvas'); canvas.width = 8; canvas.height = 8;
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  const found = { flash: [], beep: [] }, high = { flash: 0, beep: 0 };
  const note = (what, now, level, limit) => {
    if (level < limit) return;
    if (now - high[what] > 300) found[what].push(now);
    high[what] = now;
  };
  const seen = (now, frame) => {
    paint.drawImage(video, video.videoWidth / 2 - 4, video.videoHeight / 2 - 4, 8, 8, 0, 0, 8, 8);
    note('flash', frame.presentationTime, paint.getImageData(4, 4, 1, 1).data[1], 140);
    video.requestVideoFrameCallback(seen);
  };
  video.requestVideoFrameCallback(seen);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    note('beep', performance.now(), Math.max(...samples.map(Math.abs)), 0.08);
  }, 4);
  await new Promise((done) => setTimeout(done, seconds * 1000));
  clearInterval(timer);
  await context.close();
  return found;
}
"""


def pairs(flashes: list[float], beeps: list[float]) -> list[float]:
    """Beep minus flash in ms, each flash with its nearest beep; those without one are left out."""
    found = []
    for flash in flashes:
        nearest = min(beeps, key=lambda beep: abs(beep - flash), default=None)
        if nearest is not None and abs(nearest - flash) < APART_MS:
            found.append(nearest - flash)
    return found


def on_page(page: Page, participant: str, seconds: float) -> list[float]:
    """Differences measured on a review page that is playing now."""
    found = page.evaluate(WATCH, [participant, seconds])
    return pairs(found["flash"], found["beep"])


def flashes_of(plain: bytes, offset_ms: float) -> list[float]:
    """Onsets of bright pictures in a finished video, in ms of the session."""
    onsets: list[float] = []
    last = -1e9
    with av.open(io.BytesIO(plain)) as box:
        for frame in box.decode(video=0):
            at = float((frame.pts or 0) * frame.time_base) * 1000 + offset_ms
            luma = frame.to_ndarray(format="gray")
            if luma[luma.shape[0] // 2, luma.shape[1] // 2] > BRIGHT:
                if at - last > QUIET_MS:
                    onsets.append(at)
                last = at
    return onsets


def beeps_of(plain: bytes, offset_ms: float) -> list[float]:
    """Onsets of sound in a finished audio track, in ms of the session."""
    onsets: list[float] = []
    last = -1e9
    with av.open(io.BytesIO(plain)) as box:
        for frame in box.decode(audio=0):
            start = float((frame.pts or 0) * frame.time_base) * 1000 + offset_ms
            samples = np.abs(frame.to_ndarray().astype(np.float64))
            samples = samples.max(axis=0) if samples.ndim == 2 else samples
            if frame.format.name.startswith("s16"):
                samples = samples / 32768
            loud = np.flatnonzero(samples > LOUD)
            if loud.size:
                at = start + float(loud[0]) * 1000 / frame.sample_rate
                if at - last > QUIET_MS:
                    onsets.append(at)
                last = start + float(loud[-1]) * 1000 / frame.sample_rate
    return onsets
