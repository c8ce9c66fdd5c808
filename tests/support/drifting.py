"""People whose clocks are not ours: stamped packets with drift, jitter, loss, mutes and reloads, and their
truth.

Every payload carries the true time at which it was captured, so that a finished track says by itself how
far off it is. Nothing here knows the recorder's or finaliser's inside.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.recorded import NS, Packet, ntp64, rtp

FPS = 15
MARK = b"\xa5\x5aSTAMP"
STAMP = struct.Struct(">q")
WALL_NS = 1_790_000_000 * NS


@dataclass(frozen=True)
class Visit:
    """One connection: from..to in seconds, with SSRCs, RTP bases and a sender's clock of its own."""

    begin_s: float
    end_s: float
    audio_rtp: int = 0xFFF0_0000
    video_rtp: int = 0xFFE0_0000
    seq: int = 65_000
    ssrc: int = 0x1000


@dataclass
class Drifter:
    """A participant. Rates are off by ppm, packets take `delay_s` and more, `mutes` stop what is named."""

    peer: str
    visits: list[Visit]
    seed: int = 1
    system_ppm: float = 0.0
    sound_ppm: float = 0.0
    delay_s: float = 0.03
    jitter_s: float = 0.01
    queue_s: float = 0.2
    loss: float = 0.01
    clock_off_s: float = 0.0
    mutes: list[tuple[float, float]] = field(default_factory=list)
    bursts: list[tuple[float, float]] = field(default_factory=list)
    first_audio_report_s: float = 5.0
    steps: list[tuple[float, float]] = field(default_factory=list)
    """(from second, by seconds): the sender's own clock steps."""
    lies: int = 0
    """So many of its first reports are wrong by a third of a second."""

    def packets(self) -> list[Packet]:
        """Everything, by arrival."""
        made = [
            p
            for n, visit in enumerate(self.visits)
            for p in self._visit(visit, random.Random(self.seed * 97 + n))
        ]
        return sorted(made, key=lambda p: p.at_ns)

    def clock_ns(self, t: float) -> int:
        """What the sender's clock reads at true second `t`."""
        stepped = sum(by for begin, by in self.steps if t >= begin)
        return WALL_NS + round((t * (1 + self.system_ppm * 1e-6) + self.clock_off_s + stepped) * NS)

    def _muted(self, t: float) -> float:
        """Seconds of muting before t; negative while muted."""
        total = 0.0
        for begin, end in self.mutes:
            if begin <= t < end:
                return -1.0
            total += end - begin if t >= end else 0.0
        return total

    def _way(self, t: float, chance: random.Random) -> float:
        """Seconds from page to server: mostly little more than the least, sometimes a queue that stands a
        while."""
        queued = self.queue_s if int(t / 7 + self.seed) % 5 == 0 else 0.0
        return self.delay_s + chance.expovariate(1 / self.jitter_s) + queued * chance.random()

    def _lost(self, t: float, chance: random.Random) -> bool:
        return chance.random() < self.loss or any(a <= t < b for a, b in self.bursts)

    def _visit(self, visit: Visit, chance: random.Random) -> Iterator[Packet]:
        yield from self._sound(visit, chance)
        yield from self._picture(visit, chance)

    def _sound(self, visit: Visit, chance: random.Random) -> Iterator[Packet]:
        seq, report_at, sent = visit.seq, visit.begin_s + self.first_audio_report_s, 0
        for i in range(int((visit.end_s - visit.begin_s) * 50)):
            t = visit.begin_s + i * 0.02
            muted = self._muted(t)
            if muted < 0:
                continue  # replaceTrack(null): neither packets nor RTP time
            before = visit.begin_s if not self.mutes else max(0.0, self._muted(visit.begin_s))
            media = (t - visit.begin_s - (muted - before if self.mutes else 0.0)) * (
                1 + self.sound_ppm * 1e-6
            )
            stamp = visit.audio_rtp + round(media * 48_000)
            at = round((t + self._way(t, chance)) * NS)
            if not self._lost(t, chance):
                payload = b"\xf8" + MARK + STAMP.pack(round(t * NS))
                yield Packet(at, "audio", rtp(111, seq, stamp, visit.ssrc, payload))
            seq, sent = seq + 1, sent + 1
            if t >= report_at:
                report_at = t + 5.0
                yield self._report("audio", t, stamp, visit.ssrc, 48_000, chance, sent < 50 * 12)

    def _picture(self, visit: Visit, chance: random.Random) -> Iterator[Packet]:
        seq, report_at = visit.seq, visit.begin_s + 0.5
        for i in range(int((visit.end_s - visit.begin_s) * FPS)):
            t = visit.begin_s + i / FPS
            if self._muted(t) < 0:
                continue
            stamp = visit.video_rtp + round((t - visit.begin_s) * (1 + self.system_ppm * 1e-6) * 90_000)
            at = round((t + 0.015 + self._way(t, chance)) * NS)
            if not self._lost(t, chance):
                key = i % (2 * FPS) == 0
                head = b"\x10\x02\x00\x9d\x01\x2a\xa0\x00\x78\x00" if key else b"\x11\x02\x00"
                payload = b"\x10" + head + MARK + STAMP.pack(round(t * NS))
                yield Packet(at, "camera", rtp(96, seq, stamp, visit.ssrc + 1, payload, True))
            seq += 1
            if t >= report_at:
                report_at = t + 1.0
                yield self._report("camera", t, stamp, visit.ssrc + 1, 90_000, chance, i < 3 * FPS)

    def _report(
        self, kind: str, t: float, stamp: int, ssrc: int, rate: int, chance: random.Random, early: bool
    ) -> Packet:
        """Sent some ms after the last packet, with the RTP time of that moment; a little noisy as browsers'
        are."""
        later = chance.random() * 0.015
        noise = chance.gauss(0, 0.002) + (0.33 if early and self.lies else 0.0)
        if early and self.lies:
            self.lies -= 1
        ntp = ntp64(self.clock_ns(t + later))
        at = round((t + later + self._way(t, chance)) * NS)
        return Packet(at, kind, b"", ntp, (stamp + round((later + noise) * rate)) & 0xFFFFFFFF, ssrc)


def errors(container: Any, offset_ms: float) -> list[tuple[float, float]]:
    """(true second of capture, ms by which the finished track is late) of each stamped frame."""
    found: list[tuple[float, float]] = []
    for packet in container.demux():
        data = bytes(packet)
        at = data.find(MARK)
        if at < 0 or packet.pts is None:
            continue
        (captured,) = STAMP.unpack_from(data, at + len(MARK))
        placed = float(packet.pts * packet.time_base) * 1000 + offset_ms
        found.append((captured / NS, placed - captured / 1e6))
    return found
