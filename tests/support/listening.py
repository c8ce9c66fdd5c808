"""What of one person's sound reaches a page and what the page plays of it, moment by moment; and how to say
something on a page's socket.

A trace is taken in the page from the streams that it made itself, in blocks of 21 ms: how loud the person's
own tone is in it, how loud the loudest foreign one, and at what volume the page plays them. When a block
could be heard is reckoned by the audio's own clock: how late a busy page looked at it is not counted. What is
heard is what comes times the volume that was last seen, so that no change seems earlier than it was.
"""

from __future__ import annotations

import itertools
import json
import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from playwright.sync_api import Page

from tests.support.fakes import VOICES, Voice

_ids = itertools.count(9_000)

# Before the page's own scripts. Whatever socket it opens can be spoken on; what plays a track in a graph of
# the page's own is known by the track; and when the page was last touched is remembered, as the browser says.
LISTENING = """
(() => {
  const Real = window.WebSocket;
  window.testSockets = [];
  window.WebSocket = class extends Real {
    constructor(...all) { super(...all); window.testSockets.push(this); }
  };
  const connect = AudioNode.prototype.connect;
  window.testGains = new Map();
  AudioNode.prototype.connect = function (to, ...more) {
    if (this instanceof MediaStreamAudioSourceNode && to instanceof GainNode) {
      for (const track of this.mediaStream.getAudioTracks()) window.testGains.set(track, to);
    }
    return connect.call(this, to, ...more);
  };
  const touched = (event) => { window.testTouched = Date.now() - (performance.now() - event.timeStamp); };
  for (const name of ['keydown', 'keyup', 'click', 'change']) addEventListener(name, touched, true);
})();
"""

SAY = """
(frame) => {
  const open = window.testSockets.filter((one) => one.readyState === 1);
  open.at(-1).send(frame);
  return Date.now();
}
"""

BLOCK = 1024

TRACE = """
async ([participants, tones, size]) => {
  const context = new AudioContext();
  await context.resume();
  window.testTraced?.close();
  window.testTraced = context;
  window.testTrace = {};
  window.testTraceKept = [];
  const tables = tones.map((tone) => {
    const even = new Float32Array(size), odd = new Float32Array(size);
    for (let n = 0; n < size; n += 1) {
      const hann = (1 - Math.cos(2 * Math.PI * n / size)) * 2 / size;
      even[n] = hann * Math.cos(2 * Math.PI * tone * n / context.sampleRate);
      odd[n] = hann * Math.sin(2 * Math.PI * tone * n / context.sampleRate);
    }
    return [even, odd];
  });
  for (const participant of participants) {
    const element = document.querySelector(
      `[data-testid=tile][data-participant="${participant}"] [data-testid=remote-video]`);
    const track = element.srcObject.getAudioTracks().find((t) => t.readyState === 'live');
    const rows = window.testTrace[participant] = [];
    const volume = () => {
      if (element.muted) return window.testGains.get(track)?.gain.value ?? 0;
      return element.paused ? 0 : element.volume;
    };
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const node = context.createScriptProcessor(size, 1, 1);
    node.onaudioprocess = (event) => {
      const data = event.inputBuffer.getChannelData(0);
      const row = [Date.now(), event.playbackTime * 1000, volume()];
      for (const [even, odd] of tables) {
        let re = 0, im = 0;
        for (let n = 0; n < size; n += 1) { re += data[n] * even[n]; im += data[n] * odd[n]; }
        row.push(Math.hypot(re, im));
      }
      rows.push(row);
    };
    source.connect(node).connect(context.destination);
    window.testTraceKept.push(source, node);
  }
}
"""

TRACED = "([one, since]) => window.testTrace[one].filter((row) => row[0] >= since)"

OPEN_MS = 200.0
"""Open for so long is open; that it stays so is asked of its gaps."""
STEADY_MS = 40.0
"""Blocks come in pairs at times."""
LOOK_AHEAD_MS = 1_000.0
"""A page that is busy for longer than this does seem to change late."""


@dataclass(frozen=True)
class Block:
    """About 21 ms of sound. `at_ms`: Unix ms when its end could be heard; `clock_ms`: of the audio's clock;
    `came`: amplitude of the person's tone in what came; `heard`: in what is played; `stray`: of the loudest
    tone that is not theirs."""

    at_ms: float
    clock_ms: float
    came: float
    heard: float
    stray: float


def say(page: Page, event: str, data: dict[str, object]) -> float:
    """One event on the page's socket, as the page itself would send it; returns when, Unix ms."""
    told: float = page.evaluate(SAY, f"42/room,{next(_ids)}{json.dumps([event, data])}")
    return told


def touched(page: Page) -> float:
    """When a key or a button of the page was last touched, Unix ms."""
    at_ms: float = page.evaluate("window.testTouched")
    return at_ms


def trace(page: Page, *participants: str) -> None:
    """From now on, and anew, this page writes down how loud it has these people."""
    page.evaluate(TRACE, [list(participants), [voice.tone for voice in VOICES], BLOCK])


def traced(page: Page, participant: str, voice: Voice, since_ms: float = 0) -> list[Block]:
    """What was written down since then of somebody with this voice."""
    rows: list[list[float]] = page.evaluate(TRACED, [participant, since_ms])
    return placed(rows, VOICES.index(voice))


def placed(rows: list[list[float]], own: int) -> list[Block]:
    """Blocks of what the page wrote down: Unix ms when it looked, ms of the audio's clock, volume, tones."""
    blocks = []
    looked = [row[0] for row in rows]
    for index, (now_ms, clock_ms, _, *tones) in enumerate(rows):
        least = now_ms - clock_ms
        for later_ms, later_clock_ms, *_ in rows[index:]:
            if later_clock_ms - clock_ms > LOOK_AHEAD_MS:
                break
            least = min(least, later_ms - later_clock_ms)
        at_ms = clock_ms + least
        volume = rows[max(0, bisect_right(looked, at_ms) - 1)][2]
        stray = max(tone for which, tone in enumerate(tones) if which != own)
        blocks.append(Block(at_ms, clock_ms, tones[own], tones[own] * volume, stray))
    return blocks


def changed_after(
    blocks: list[Block], since_ms: float, loud: float, *, opens: bool, played: bool = True
) -> float:
    """How many ms after this instant what is heard (else: what comes) was closed (40 dB down) to stay, or
    open (within 6 dB) for so long that it is no flicker."""
    later = [block for block in blocks if block.at_ms >= since_ms]
    levels = [block.heard if played else block.came for block in later]
    right = [level >= loud / 2 if opens else level <= loud / 100 for level in levels]
    for n, block in enumerate(later):
        ends = block.clock_ms + (OPEN_MS if opens else math.inf)
        if all(one for one, other in zip(right[n:], later[n:], strict=True) if other.clock_ms <= ends):
            return block.at_ms - since_ms
    raise AssertionError("never")


def blind(blocks: list[Block], since_ms: float, until_ms: float) -> float:
    """For how many ms in between the page's own sound stood still, because the machine had no time for it."""
    seen = [block.at_ms for block in blocks if since_ms <= block.at_ms <= until_ms]
    return sum(max(0.0, after - before - STEADY_MS) for before, after in pairwise(seen))


def longest_gap(blocks: list[Block], loud: float) -> float:
    """The longest time, ms of the audio's clock, in which what is heard was less than a tenth as loud."""
    longest, begun = 0.0, None
    for block in blocks:
        if block.heard >= loud / 10:
            begun = None
        else:
            begun = block.clock_ms if begun is None else begun
            longest = max(longest, block.clock_ms - begun + BLOCK / 48)
    return longest


def usual(blocks: list[Block]) -> float:
    """How loud it mostly is: the middle one of what was heard."""
    loud = sorted(block.heard for block in blocks)
    return loud[len(loud) // 2]
