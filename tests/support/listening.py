"""What of one person's sound reaches a page, moment by moment; and a way to say something on a page's socket.

The trace is taken in the page from the stream that the page made itself, by the audio's own clock, so that a
busy machine blurs it by one block of 21 ms and no more.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass

from playwright.sync_api import Page

_ids = itertools.count(9_000)

# Before the page's own scripts: whatever socket it opens can be spoken on.
OPEN_SOCKETS = """
(() => {
  const Real = window.WebSocket;
  window.testSockets = [];
  window.WebSocket = class extends Real {
    constructor(...all) { super(...all); window.testSockets.push(this); }
  };
})();
"""

SAY = """
(frame) => {
  const open = window.testSockets.filter((one) => one.readyState === 1);
  open.at(-1).send(frame);
  return Date.now();
}
"""

TRACE = """
async (participants) => {
  const context = new AudioContext();
  await context.resume();
  window.testTrace = {};
  window.testTraceKept = [context];
  for (const participant of participants) {
    const element = document.querySelector(
      `[data-testid=tile][data-participant="${participant}"] [data-testid=remote-video]`);
    const track = element.srcObject.getAudioTracks().find((t) => t.readyState === 'live');
    const blocks = window.testTrace[participant] = [];
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const node = context.createScriptProcessor(1024, 1, 1);
    node.onaudioprocess = (event) => {
      const data = event.inputBuffer.getChannelData(0);
      let sum = 0;
      for (const value of data) sum += value * value;
      blocks.push([Date.now(), event.playbackTime * 1000, Math.sqrt(sum / data.length)]);
    };
    source.connect(node).connect(context.destination);
    window.testTraceKept.push(source, node);
  }
}
"""


@dataclass(frozen=True)
class Block:
    """About 21 ms of sound: Unix ms when it was looked at, ms of the audio's clock, root mean square."""

    at_ms: float
    clock_ms: float
    rms: float


def say(page: Page, event: str, data: dict[str, object]) -> float:
    """One event on the page's socket, as the page itself would send it; returns when, Unix ms."""
    told: float = page.evaluate(SAY, f"42/room,{next(_ids)}{json.dumps([event, data])}")
    return told


def trace(page: Page, *participants: str) -> None:
    """From now on this page writes down how loud it has these people."""
    page.evaluate(TRACE, list(participants))


def traced(page: Page, participant: str) -> list[Block]:
    """What was written down so far."""
    rows: list[list[float]] = page.evaluate("(one) => window.testTrace[one]", participant)
    return [Block(*row) for row in rows]


def changed_after(blocks: list[Block], since_ms: float, loud: float, *, opens: bool) -> float:
    """How many ms after this instant the sound was open (within 6 dB) or closed (40 dB down) to stay so."""
    later = [block for block in blocks if block.at_ms >= since_ms]

    def wrong(block: Block) -> bool:
        return block.rms < loud / 2 if opens else block.rms > loud / 100

    last = max((n for n, block in enumerate(later) if wrong(block)), default=-1)
    assert last + 1 < len(later), "never"
    return later[last + 1].at_ms - since_ms


def longest_gap(blocks: list[Block], loud: float) -> float:
    """The longest time, ms of the audio's clock, in which it was less than a tenth as loud."""
    longest, begun = 0.0, None
    for block in blocks:
        if block.rms >= loud / 10:
            begun = None
        else:
            begun = block.clock_ms if begun is None else begun
            longest = max(longest, block.clock_ms - begun + 1024 / 48)
    return longest
