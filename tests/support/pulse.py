"""How well media arrives in a page, from getStats: rates, stalls, concealment, the state of the connection.

The script keeps every RTCPeerConnection the page makes and looks at the newest one five times a second; it
changes nothing about it. A stall is a stretch without one newly decoded picture, as long as it is seen, so on
a busy machine it is at most one look too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

SCRIPT = """
(() => {
  const Original = window.RTCPeerConnection;
  const pulse = { pc: null, made: 0, states: [], stalls: {}, last: {} };
  window.__pulse = pulse;
  window.RTCPeerConnection = class extends Original {
    constructor(...all) {
      super(...all);
      pulse.pc = this; pulse.made += 1; pulse.last = {};
      const note = () => pulse.states.push([performance.now(), this.iceConnectionState]);
      this.addEventListener('iceconnectionstatechange', note);
    }
  };
  setInterval(async () => {
    const pc = pulse.pc;
    if (!pc || pc.connectionState === 'closed') return;
    const stats = await pc.getStats();
    const now = performance.now();
    for (const s of stats.values()) {
      if (s.type !== 'inbound-rtp' || s.kind !== 'video') continue;
      const key = s.mid;
      const seen = pulse.last[key] ??= { frames: s.framesDecoded ?? 0, at: now };
      if ((s.framesDecoded ?? 0) > seen.frames) { seen.frames = s.framesDecoded; seen.at = now; }
      pulse.stalls[key] = Math.max(pulse.stalls[key] ?? 0, now - seen.at);
    }
  }, 200);
})();
"""

READ = """
async () => {
  const { pc, made, states, stalls } = window.__pulse;
  const out = { at: performance.now(), made, states, stalls, ice: pc?.iceConnectionState ?? 'none',
    inbound: [], pair: null };
  if (!pc) return out;
  const stats = await pc.getStats();
  for (const s of stats.values()) {
    if (s.type === 'inbound-rtp') out.inbound.push(s);
    if (s.type === 'transport') out.pair = stats.get(s.selectedCandidatePairId) ?? null;
  }
  return out;
}
"""


@dataclass(frozen=True)
class Reading:
    """One look. `stall_s` is the longest since `forget_stalls`; sums are over all tracks received."""

    at_s: float
    ice: str
    states: tuple[str, ...]
    """Every ICE state the page's connections have been in, in order."""
    states_at_s: tuple[float, ...]
    """When each began, on the clock of `at_s`."""
    connections: int
    frames: int
    freezes: int
    freeze_s: float
    stall_s: float
    samples: int
    concealed: int
    """Concealed samples that were not silence."""
    lost: int
    resent: int
    rtt_s: float
    """Mean of the ICE checks of the path in use."""


def read(page: Page) -> Reading:
    """Now. Needs SCRIPT as an init script of the page."""
    raw: dict[str, Any] = page.evaluate(READ)
    video = [s for s in raw["inbound"] if s["kind"] == "video"]
    audio = [s for s in raw["inbound"] if s["kind"] == "audio"]

    def total(tracks: list[dict[str, Any]], key: str) -> float:
        return sum(float(track.get(key, 0)) for track in tracks)

    return Reading(
        at_s=raw["at"] / 1000,
        ice=raw["ice"],
        states=tuple(state for _, state in raw["states"]),
        states_at_s=tuple(round(at / 1000, 1) for at, _ in raw["states"]),
        connections=raw["made"],
        frames=int(total(video, "framesDecoded")),
        freezes=int(total(video, "freezeCount")),
        freeze_s=total(video, "totalFreezesDuration"),
        stall_s=max(raw["stalls"].values(), default=0) / 1000,
        samples=int(total(audio, "totalSamplesReceived")),
        concealed=int(total(audio, "concealedSamples") - total(audio, "silentConcealedSamples")),
        lost=int(total(raw["inbound"], "packetsLost")),
        resent=int(total(raw["inbound"], "retransmittedPacketsReceived")),
        rtt_s=_rtt(raw["pair"] or {}),
    )


def _rtt(pair: dict[str, Any]) -> float:
    """Seconds; a pair that has just been chosen has no current one, so the mean of all its checks."""
    answered = pair.get("responsesReceived", 0)
    return float(pair.get("totalRoundTripTime", 0)) / answered if answered else 0.0


def forget_stalls(page: Page) -> None:
    """Stalls are measured from now on."""
    page.evaluate("""() => { window.__pulse.stalls = {}; window.__pulse.last = {}; }""")


@dataclass(frozen=True)
class Stretch:
    """Between two readings of one page."""

    seconds: float
    frames_per_s: float
    freezes: int
    freeze_s: float
    stall_s: float
    concealed: float
    """Share of the sound that was made up, 0..1."""
    lost: int
    resent: int
    rtt_ms: float

    def line(self) -> str:
        """One row for people."""
        return (
            f"{self.seconds:5.1f} s  {self.frames_per_s:5.1f} frames/s"
            f"  {self.freezes} freezes {self.freeze_s:.2f} s  longest stall {self.stall_s:.2f} s"
            f"  concealed {self.concealed:6.2%}"
            f"  lost {self.lost}  resent {self.resent}  rtt {self.rtt_ms:.0f} ms"
        )


def between(first: Reading, last: Reading) -> Stretch:
    seconds = last.at_s - first.at_s
    return Stretch(
        seconds=seconds,
        frames_per_s=(last.frames - first.frames) / seconds,
        freezes=last.freezes - first.freezes,
        freeze_s=last.freeze_s - first.freeze_s,
        stall_s=last.stall_s,
        concealed=(last.concealed - first.concealed) / max(1, last.samples - first.samples),
        lost=last.lost - first.lost,
        resent=last.resent - first.resent,
        rtt_ms=last.rtt_s * 1000,
    )
