"""What a page shows and plays, measured inside it: the centre colour of a picture, the tones of a sound.

The scripts only read elements and streams the page made itself; the tones are read before the loudspeaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.support.analysis import ABSENT_BELOW_DB, colour_of, present_tones
from tests.support.demo import until
from tests.support.fakes import VOICES, Voice

# An AnalyserNode's reading of a full-scale sine lies about 7.5 dB under its peak (Blackman window).
PAGE_FLOOR_DB = -50.0

TILES = """
() => [...document.querySelectorAll('[data-testid=tile]')].map((tile) => {
  const video = tile.querySelector('[data-testid=remote-video]');
  return {
    participant: tile.dataset.participant, role: tile.dataset.role,
    remote: !!video, width: video?.videoWidth ?? 0, time: video?.currentTime ?? 0,
    paused: video?.paused ?? true,
    audio: (video?.srcObject?.getAudioTracks() ?? []).filter((t) => t.readyState === 'live').length,
  };
})
"""

LOOK = """
(participant) => {
  const video = document.querySelector(
    `[data-testid=tile][data-participant="${participant}"] [data-testid=remote-video]`);
  if (!video || !video.videoWidth || video.readyState < 2) return null;
  const canvas = document.createElement('canvas'); canvas.width = 32; canvas.height = 32;
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  paint.drawImage(video, video.videoWidth / 2 - 16, video.videoHeight / 2 - 16, 32, 32, 0, 0, 32, 32);
  const data = paint.getImageData(0, 0, 32, 32).data;
  const sum = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) for (const c of [0, 1, 2]) sum[c] += data[i + c];
  return sum.map((value) => value / 1024);
}
"""

HEAR = """
async ([participant, tones]) => {
  const element = document.querySelector(
    `[data-testid=tile][data-participant="${participant}"] [data-testid=remote-video]`);
  const track = element?.srcObject?.getAudioTracks().find((t) => t.readyState === 'live');
  if (!track) return null;
  const context = new AudioContext();
  try {
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 32768; analyser.smoothingTimeConstant = 0;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    await new Promise((done) => setTimeout(done, 1100));
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const levels = {};
    for (const [name, tone] of Object.entries(tones)) {
      const at = Math.round(tone * analyser.fftSize / context.sampleRate);
      levels[name] = Math.max(-150, ...bins.slice(at - 3, at + 4));
    }
    return levels;
  } finally {
    await context.close();
  }
}
"""


@dataclass(frozen=True)
class Sensed:
    """What one tile gives: the voice whose colour it shows and the names of those it lets hear."""

    colour: str | None
    tones: frozenset[str]
    levels: dict[str, float]


def words(page: Page, test_id: str) -> str:
    """What an element says now, empty when it is not there; never waits for one that comes and goes."""
    found: str = page.evaluate(
        "(id) => document.querySelector(`[data-testid=${id}]`)?.innerText ?? ''", test_id
    )
    return found


def tiles(page: Page) -> list[dict[str, Any]]:
    """The page's tiles: participant, role, remote, width, time, paused, audio."""
    found: list[dict[str, Any]] = page.evaluate(TILES)
    return found


def remote_participants(page: Page) -> list[str]:
    return [tile["participant"] for tile in tiles(page) if tile["remote"]]


def look(page: Page, participant: str) -> str | None:
    """The name of the voice whose colour the participant's picture has now, or None."""
    rgb = page.evaluate(LOOK, participant)
    voice = colour_of(rgb) if rgb else None
    return voice.name if voice else None


def hear(page: Page, participant: str) -> dict[str, float]:
    """Level of every voice's tone in the participant's sound, dB; empty when there is no live track."""
    tones = {voice.name: voice.tone for voice in VOICES}
    levels: dict[str, float] | None = page.evaluate(HEAR, [participant, tones])
    return levels or {}


def heard(page: Page, participant: str) -> set[str]:
    """The voices one hears from a participant; others are more than 40 dB below."""
    return present_tones(hear(page, participant), PAGE_FLOOR_DB)


def wait_for_colour(page: Page, participant: str, voice: Voice, timeout: float = 15.0) -> None:
    until(f"{voice.name} seen", lambda: look(page, participant) == voice.name, timeout)


def wait_for_tone(page: Page, participant: str, voice: Voice, timeout: float = 15.0) -> dict[str, float]:
    """Waits until exactly this voice is heard; returns the levels, for the −40 dB of the others."""

    def check() -> dict[str, float] | None:
        levels = hear(page, participant)
        return levels if present_tones(levels, PAGE_FLOOR_DB) == {voice.name} else None

    levels = until(f"{voice.name} heard alone", check, timeout)
    others = [db for name, db in levels.items() if name != voice.name]
    assert max(others) < levels[voice.name] - ABSENT_BELOW_DB, levels
    return levels


def advancing(page: Page, participant: str) -> bool:
    """True when new pictures arrive within a second."""
    first = _time(page, participant)
    page.wait_for_timeout(700)
    return _time(page, participant) > first > 0


def _time(page: Page, participant: str) -> float:
    return next((float(tile["time"]) for tile in tiles(page) if tile["participant"] == participant), 0.0)


# The review page: media elements instead of streams.

LOOK_REVIEW = """
(participant) => {
  const video = document.querySelector(`video[data-participant="${participant}"]`);
  if (!video || !video.videoWidth || video.readyState < 2) return null;
  const canvas = document.createElement('canvas'); canvas.width = 32; canvas.height = 32;
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  paint.drawImage(video, video.videoWidth / 2 - 16, video.videoHeight / 2 - 16, 32, 32, 0, 0, 32, 32);
  const data = paint.getImageData(0, 0, 32, 32).data;
  const sum = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) for (const c of [0, 1, 2]) sum[c] += data[i + c];
  return sum.map((value) => value / 1024);
}
"""
HEAR_REVIEW = HEAR.replace(
    """document.querySelector(
    `[data-testid=tile][data-participant="${participant}"] [data-testid=remote-video]`)""",
    """document.querySelector(`audio[data-participant="${participant}"]`)""",
).replace(
    "element?.srcObject?.getAudioTracks()",
    "(element?.captureStream ?? element?.mozCaptureStream)?.call(element).getAudioTracks()",
)


def look_review(page: Page, participant: str) -> str | None:
    """The name of the voice whose colour the participant's recorded picture has now, or None."""
    rgb = page.evaluate(LOOK_REVIEW, participant)
    voice = colour_of(rgb) if rgb else None
    return voice.name if voice else None


def heard_review(page: Page, participant: str) -> set[str]:
    """The voices one hears from a participant's recorded sound while it plays."""
    tones = {voice.name: voice.tone for voice in VOICES}
    levels: dict[str, float] | None = page.evaluate(HEAR_REVIEW, [participant, tones])
    return present_tones(levels or {}, PAGE_FLOOR_DB)
