"""Digits spoken as pairs of tones, and what the other end heard of them.

In the page the microphone is an oscillator bench and the camera a drawn room with somebody moving in it, so
that a still costs what a still costs. The ear listens to what a participant's tile plays, by Goertzel, on the
page's clock; all pages of a test run on one machine, so their clocks agree.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

SYMBOLS = "1234567890"
TONE_S, EVERY_S = 0.4, 0.9
LATEST_S = 4.0
"""A digit heard later than this after it was said is not the one that was said."""

SCRIPT = """
(() => {
  const LOW = [697, 770, 852, 941], HIGH = [1209, 1336, 1477];
  const PAIRS = { 1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336],
    6: [770, 1477], 7: [852, 1209], 8: [852, 1336], 9: [852, 1477], 0: [941, 1336] };
  const digits = window.__digits = { said: [], heard: [], ears: {} };
  let made;
  const make = async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 640; canvas.height = 360;
    const paint = canvas.getContext('2d');
    const room = paint.createImageData(640, 360);
    let seed = 7;
    const noise = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    for (let y = 0; y < 360; y += 1) for (let x = 0; x < 640; x += 1) {
      const at = (y * 640 + x) * 4;
      const shelf = ((x >> 5) + (y >> 6)) % 3 * 26;
      const grain = noise() * 14;
      room.data[at] = 96 + shelf + grain; room.data[at + 1] = 104 + shelf / 2 + grain;
      room.data[at + 2] = 112 + grain + y / 8; room.data[at + 3] = 255;
    }
    let step = 0;
    setInterval(() => {
      step += 1;
      paint.putImageData(room, 0, 0);
      const x = 320 + 40 * Math.sin(step / 40), y = 150 + 8 * Math.sin(step / 11);
      paint.fillStyle = '#39465e'; paint.fillRect(x - 110, y + 60, 220, 200);
      paint.fillStyle = '#d3a98b'; paint.beginPath(); paint.ellipse(x, y, 58, 74, 0, 0, 7); paint.fill();
      paint.fillStyle = '#2c2320'; paint.fillRect(x - 58, y - 78, 116, 34);
      paint.fillStyle = '#222'; for (const e of [-22, 22]) paint.fillRect(x + e - 7, y - 8, 14, 6);
      paint.fillRect(x - 18, y + 34, 36, 4 + 6 * Math.abs(Math.sin(step / 3)));
    }, 66);
    const context = new AudioContext();
    await context.resume();
    const out = context.createMediaStreamDestination();
    const voices = {};
    for (const hz of [...LOW, ...HIGH]) {
      const tone = context.createOscillator(), gain = context.createGain();
      tone.frequency.value = hz; gain.gain.value = 0;
      tone.connect(gain).connect(out); tone.start();
      voices[hz] = gain;
    }
    digits.say = (symbol, seconds) => {
      const from = context.currentTime + 0.02;
      for (const hz of PAIRS[symbol]) {
        const gain = voices[hz].gain;
        gain.setValueAtTime(0, from); gain.linearRampToValueAtTime(0.25, from + 0.01);
        gain.setValueAtTime(0.25, from + seconds - 0.01); gain.linearRampToValueAtTime(0, from + seconds);
      }
      digits.said.push([symbol, Date.now() / 1000]);
    };
    const stream = canvas.captureStream(15);
    stream.addTrack(out.stream.getAudioTracks()[0]);
    return stream;
  };
  digits.recite = (text, tone, every) => [...text].forEach(
    (symbol, index) => setTimeout(() => digits.say(symbol, tone), index * every * 1000));
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const all = await (made ??= make());
    return new MediaStream([
      ...(wish.audio ? all.getAudioTracks().map((t) => t.clone()) : []),
      ...(wish.video ? all.getVideoTracks().map((t) => t.clone()) : []),
    ]);
  };
  const power = (block, hz, rate) => {
    const factor = 2 * Math.cos(2 * Math.PI * hz / rate);
    let a = 0, b = 0;
    for (let i = 0; i < block.length; i += 1) {
      const c = block[i] * (0.5 - 0.5 * Math.cos(2 * Math.PI * i / block.length)) + factor * a - b;
      b = a; a = c;
    }
    return (a * a + b * b - factor * a * b) / block.length;
  };
  const read = (block, rate) => {
    let energy = 0;
    for (const value of block) energy += value * value;
    if (energy / block.length < 1e-5) return null;
    const best = (all) => all.map((hz) => [power(block, hz, rate), hz]).sort((p, q) => q[0] - p[0]);
    const low = best(LOW), high = best(HIGH);
    if (low[0][0] < 4 * low[1][0] || high[0][0] < 4 * high[1][0]) return null;
    if (low[0][0] + high[0][0] < 0.12 * energy / 4) return null;
    const found = Object.entries(PAIRS).find(([, pair]) => pair[0] === low[0][1] && pair[1] === high[0][1]);
    return found ? found[0] : null;
  };
  digits.listen = async (participant) => {
    const tile = document.querySelector(`[data-testid=tile][data-participant="${participant}"]`);
    const track = tile?.querySelector('[data-testid=remote-video]')?.srcObject?.getAudioTracks()[0];
    if (!track) return false;
    const context = new AudioContext();
    await context.resume();
    const ear = context.createScriptProcessor(2048, 1, 1);
    ear.onaudioprocess = (event) => {
      const block = event.inputBuffer.getChannelData(0);
      const now = Date.now() / 1000;
      for (const half of [block.subarray(0, 1024), block.subarray(1024)]) {
        const symbol = read(half, context.sampleRate);
        if (symbol !== null) digits.heard.push([symbol, now]);
      }
    };
    context.createMediaStreamSource(new MediaStream([track])).connect(ear);
    ear.connect(context.destination);
    digits.ears[participant] = ear;
    return true;
  };
})();
"""


@dataclass(frozen=True)
class Tally:
    """How many of the digits said were heard, and how many were heard that nobody said."""

    said: int
    heard: int
    strange: int
    worst_delay_s: float

    @property
    def share(self) -> float:
        return self.heard / self.said if self.said else 0.0

    def line(self) -> str:
        return (
            f"{self.heard} of {self.said} digits ({self.share:.1%}),"
            f" {self.strange} strange, slowest {self.worst_delay_s:.2f} s"
        )


def text(count: int, dice: random.Random) -> str:
    """So many digits, never the same twice in a row."""
    out = ""
    while len(out) < count:
        symbol = dice.choice(SYMBOLS)
        if not out or out[-1] != symbol:
            out += symbol
    return out


def listen(page: Page, participant: str) -> None:
    """From now on the page listens to this participant."""
    assert page.evaluate("(id) => window.__digits.listen(id)", participant), participant


def recite(page: Page, what: str) -> float:
    """Says digits, one each EVERY_S; returns at once with how long it will take."""
    page.evaluate(
        "([what, tone, every]) => window.__digits.recite(what, tone, every)", [what, TONE_S, EVERY_S]
    )
    return len(what) * EVERY_S


def tally(speaker: Page, listener: Page) -> Tally:
    """Of everything said so far. Call it when the last digit has had its time."""
    said: list[list[Any]] = speaker.evaluate("() => window.__digits.said")
    blocks: list[list[Any]] = listener.evaluate("() => window.__digits.heard")
    return align([(str(s), float(t)) for s, t in said], onsets([(str(s), float(t)) for s, t in blocks]))


def onsets(blocks: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """From blocks of 20 ms in which a digit sounds, to digits: two blocks at least, holes up to 0.3 s."""
    found: list[tuple[str, float, float, int]] = []
    for symbol, at in blocks:
        if found and found[-1][0] == symbol and at - found[-1][2] < 0.3:
            found[-1] = (symbol, found[-1][1], at, found[-1][3] + 1)
        else:
            found.append((symbol, at, at, 1))
    return [(symbol, began) for symbol, began, _, count in found if count >= 2]


def align(said: list[tuple[str, float]], heard: list[tuple[str, float]]) -> Tally:
    """Each digit heard answers one that was said before it, in order."""
    matched, at, worst = 0, 0, 0.0
    used = set()
    for symbol, when in said:
        for index in range(at, len(heard)):
            if heard[index][1] - when > LATEST_S:
                break
            if heard[index][0] == symbol and heard[index][1] >= when:
                matched, at = matched + 1, index + 1
                used.add(index)
                worst = max(worst, heard[index][1] - when)
                break
    return Tally(len(said), matched, len(heard) - len(used), worst)
