"""Whose voice it is in a room, from the levels of its packets; ten times a second, off the packets' path.

A cough, a yes and a word thrown in do not take the floor, and who pauses for breath keeps it. Who talks while
somebody else does takes it when that one has stopped. It must not open a packet, nor know who is who.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from media.rtp.levels import level_of

NS = 1_000_000_000
WINDOW_NS = 800_000_000
TAKES_NS = 450_000_000
"""So much voice in the window takes a floor that is free, or whose holder has stopped."""
STOPPED_NS = 400_000_000
FREE_NS = 2_500_000_000
"""After so much silence nobody has it."""
MOST_AT_ONCE = 25
QUIETEST, LOUDEST_NOISE = 70, 45
OVER_NOISE = 9
NEVER_VOICE = 60
"""-dBov. A voice is louder than this, and by OVER_NOISE louder than what its room sounds like."""
NOISE_RISES = 1.0
"""dB a second: a voice that goes on without a breath is not taken for noise before half a minute."""


class Heard(Protocol):
    """What is looked at of a stream."""

    @property
    def cache(self) -> Cache: ...

    @property
    def sequence(self) -> Sequence: ...


class Cache(Protocol):
    def get(self, sequence: int) -> bytes | None: ...


class Sequence(Protocol):
    @property
    def highest(self) -> int: ...


@dataclass(slots=True)
class Voice:
    """One microphone: how loud its room is, and when it spoke."""

    noise: float = QUIETEST
    seen: int = -1
    spoke_ns: int = 0
    spans: deque[tuple[int, int]] = field(default_factory=deque)
    """(when, for how long) it spoke."""

    def hear(self, level: float, now_ns: int, passed_ns: int) -> None:
        """The mean of what has come since the last look, in -dBov."""
        quieter = max(level, self.noise - NOISE_RISES * passed_ns / NS)
        self.noise = min(max(quieter, LOUDEST_NOISE), QUIETEST)
        if level <= NEVER_VOICE and level <= self.noise - OVER_NOISE:
            self.spoke_ns = now_ns
            self.spans.append((now_ns, passed_ns))

    def spoken_ns(self, now_ns: int) -> int:
        """For how long of the last moments."""
        while self.spans and now_ns - self.spans[0][0] > WINDOW_NS:
            self.spans.popleft()
        return sum(lasted for _, lasted in self.spans)


class Turns:
    """Of one room. `look` at every tick."""

    def __init__(self) -> None:
        self.floor: str | None = None
        self._voices: dict[str, Voice] = {}
        self._looked_ns = 0

    def look(self, streams: Mapping[str, Heard], now_ns: int) -> bool:
        """True when somebody else has the floor now. `streams`: of everybody who may have it."""
        passed_ns = min(now_ns - self._looked_ns, NS // 5) if self._looked_ns else 0
        self._looked_ns = now_ns
        for peer in self._voices.keys() - streams.keys():
            del self._voices[peer]
        for peer, stream in streams.items():
            voice = self._voices.setdefault(peer, Voice())
            level = mean_level(stream, voice)
            if level >= 0:
                voice.hear(level, now_ns, passed_ns)
        before = self.floor
        self.floor = self._next(now_ns)
        return self.floor != before

    def _next(self, now_ns: int) -> str | None:
        held = None if self.floor is None else self._voices.get(self.floor)
        if held is not None and now_ns - held.spoke_ns < STOPPED_NS:
            return self.floor
        spoken = {peer: voice.spoken_ns(now_ns) for peer, voice in self._voices.items() if peer != self.floor}
        loud = max(spoken, key=lambda peer: spoken[peer], default=None)
        if loud is not None and spoken[loud] >= TAKES_NS:
            return loud
        return self.floor if held is not None and now_ns - held.spoke_ns < FREE_NS else None


def mean_level(stream: Heard, voice: Voice) -> float:
    """Of the packets since the last look, in -dBov; below 0 when none came that tells it."""
    highest = stream.sequence.highest
    levels = []
    for number in range(max(voice.seen + 1, highest - MOST_AT_ONCE + 1, 0), highest + 1):
        packet = stream.cache.get(number)
        level = None if packet is None else level_of(packet)
        if level is not None:
            levels.append(level)
    voice.seen = highest
    return sum(levels) / len(levels) if levels else -1.0
