"""How busy a worker is, and which one takes the next room. Pure: numbers in, a decision out.

Two marks for each measure: from `room` on a worker takes no new room, from `peer` on nobody more in the
rooms it has. Both lie below where packets begin to wait, so that who is inside never pays for who comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

ROOM_SHARE = 1 / 28
"""What a room is thought to take of a worker before it is measured: 28 rooms ran on one core without loss."""
FRESH_S = 8.0
"""A room placed this short a time ago may not send yet: it counts beside what is measured."""
SPAN_S = 1.0
BUSY_CPU = 0.25
"""A late loop on a worker that does less than this is the machine's doing; sending people away is no cure."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The limits of one measure."""

    room: float
    peer: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker may carry. `sessions`: people's connections; the operator may lower it."""

    cpu: Marks = Marks(0.7, 0.85)  # share of a core
    packets: Marks = Marks(70_000, 90_000)  # in and out, a second
    lag_ms: Marks = Marks(30.0, 80.0)  # p99 of the loop, on a worker that is busy itself
    sessions: Marks = Marks(112, 120)

    @classmethod
    def of(cls, sessions: int) -> Limits:
        """With room for so many connections, of which a few are kept for rooms that run."""
        return cls(sessions=Marks(max(1, sessions - max(1, sessions // 15)), sessions))


@dataclass(frozen=True, slots=True)
class Load:
    """One worker as last measured. Rates are smoothed over two measurements at least SPAN_S apart."""

    at_s: float = 0.0
    cpu: float = 0.0
    packets: float = 0.0
    cpu_us_per_packet: float = 0.0
    lag_p99_ms: float = 0.0
    sessions: float = 0.0
    raw: Mapping[str, float] = field(default_factory=dict, repr=False)
    base: Mapping[str, float] = field(default_factory=dict, repr=False)  # as it was at `at_s`

    def next(self, at_s: float, raw: Mapping[str, Any]) -> Load:
        """The load after one more answer of the worker's metrics."""
        told = {name: float(value) for name, value in raw.items() if isinstance(value, int | float)}
        lag, sessions = told.get("loop_lag_p99_ms", 0.0), told.get("sessions", 0.0)
        now = replace(self, lag_p99_ms=lag, sessions=sessions, raw=told)
        if not self.base:
            return replace(now, at_s=at_s, base=told)
        gone = at_s - self.at_s
        if gone < SPAN_S:
            return now

        def grown(name: str) -> float:
            return max(0.0, told.get(name, 0.0) - self.base.get(name, 0.0))

        packets, cpu_s = grown("packets_in") + grown("packets_forwarded"), grown("cpu_seconds")
        return replace(
            now,
            at_s=at_s,
            base=told,
            cpu=(self.cpu + cpu_s / gone) / 2,
            packets=(self.packets + packets / gone) / 2,
            cpu_us_per_packet=cpu_s * 1e6 / packets if packets else 0.0,
        )

    def share(self, limits: Limits) -> float:
        """How much of what it may carry it carries: 1.0 = takes no new room."""
        return max(value / marks.room for value, marks in self._measures(limits))

    def takes_room(self, limits: Limits) -> bool:
        return all(value < marks.room for value, marks in self._measures(limits))

    def takes_peer(self, limits: Limits) -> bool:
        return all(value < marks.peer for value, marks in self._measures(limits))

    def _measures(self, limits: Limits) -> tuple[tuple[float, Marks], ...]:
        lag = self.lag_p99_ms if self.cpu >= BUSY_CPU else 0.0
        return (
            (self.cpu, limits.cpu),
            (self.packets, limits.packets),
            (lag, limits.lag_ms),
            (self.sessions, limits.sessions),
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker that may be chosen. `rooms` lives there, `fresh` of them were placed just now."""

    worker: str
    load: Load
    rooms: int
    fresh: int
    serving: bool = True

    def takes_room(self, limits: Limits) -> bool:
        """Whether a new consultation may begin here; what was just let in counts before it is measured."""
        coming = self.load.share(limits) + self.fresh * ROOM_SHARE
        return self.serving and self.load.takes_room(limits) and (coming < 1 or self.fresh == 0)

    def score(self, limits: Limits) -> float:
        """The less, the rather: what is measured and what is coming, or what its rooms may yet take."""
        return max(self.load.share(limits) + self.fresh * ROOM_SHARE, self.rooms * ROOM_SHARE)


def choose(candidates: Iterable[Candidate], limits: Limits, stay: str | None = None) -> str | None:
    """The worker for a room, or None when none serves.

    One that has room before one that has none; then `stay`, where the room was before; then the least loaded.
    A running consultation is never turned away here: the door (`Fleet.has_room`) is where people are refused.
    """
    serving = [one for one in candidates if one.serving]
    if not serving:
        return None

    def order(one: Candidate) -> tuple[bool, bool, float, str]:
        full = not one.load.takes_room(limits)
        return full, one.worker != stay, one.score(limits), one.worker

    return min(serving, key=order).worker
