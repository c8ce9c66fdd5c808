"""What changes on a line, and when: a list of moments, the same for the same seed."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tests.support.impairment.clock import Clock, Timer
from tests.support.impairment.profile import Profile

Direction = Literal["up", "down", "both"]


class Line(Protocol):
    """What a script acts on; a relay is one."""

    def change(self, profile: Profile, direction: Direction = "both") -> None: ...

    def black_out(self, dark: bool) -> None: ...

    def rebind(self) -> None: ...

    def block_udp(self, blocked: bool) -> None: ...

    def block_tcp(self, blocked: bool) -> None: ...


@dataclass(frozen=True)
class Change:
    profile: Profile
    direction: Direction = "both"

    def act(self, line: Line) -> None:
        line.change(self.profile, self.direction)


@dataclass(frozen=True)
class Dark:
    dark: bool

    def act(self, line: Line) -> None:
        line.black_out(self.dark)


@dataclass(frozen=True)
class Rebind:
    def act(self, line: Line) -> None:
        line.rebind()


@dataclass(frozen=True)
class Block:
    transport: Literal["udp", "tcp"]
    blocked: bool = True

    def act(self, line: Line) -> None:
        (line.block_udp if self.transport == "udp" else line.block_tcp)(self.blocked)


Act = Change | Dark | Rebind | Block


@dataclass(frozen=True, order=True)
class Moment:
    """`at_s`: seconds after the script was started."""

    at_s: float
    act: Act = field(compare=False)


Script = tuple[Moment, ...]


def at(at_s: float, act: Act) -> Script:
    """One moment."""
    return (Moment(at_s, act),)


def together(*parts: Script) -> Script:
    """In the order of time; those of one time in the order given."""
    return tuple(sorted(moment for part in parts for moment in part))


def blackout(at_s: float, seconds: float) -> Script:
    """Nothing gets through in either direction for so long."""
    return (Moment(at_s, Dark(True)), Moment(at_s + seconds, Dark(False)))


def falls(seed: int, count: int, within_s: float, dark_s: tuple[float, float]) -> Script:
    """So many blackouts, each in its own equal part of the time, of a random length within the bounds.

    Raises ValueError when the longest does not fit.
    """
    part = within_s / count
    if not 0 < dark_s[0] <= dark_s[1] < part:
        raise ValueError("a blackout must fit into its part of the time")
    dice = random.Random(seed)
    found: list[Moment] = []
    for number in range(count):
        seconds = dice.uniform(*dark_s)
        found += blackout(number * part + dice.uniform(0, part - seconds), seconds)
    return tuple(found)


def swing(seed: int, profiles: Sequence[Profile], every_s: tuple[float, float], until_s: float) -> Script:
    """One of the profiles after the other at random, each for a random time within the bounds."""
    dice = random.Random(seed)
    at, found = 0.0, []
    while at < until_s:
        found.append(Moment(at, Change(dice.choice(profiles))))
        at += dice.uniform(*every_s)
    return tuple(found)


class Playing:
    """A script at work. `done` tells what was done at which time of the clock."""

    def __init__(self, moments: Iterable[Moment], line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self.done: list[tuple[float, Act]] = []
        self._start = clock.time()
        self._timer: Timer | None = None
        self._left = deque(sorted(moments))
        self._next()

    def _next(self) -> None:
        self._timer = None
        if self._left:
            self._timer = self._clock.call_at(self._start + self._left[0].at_s, self._act)

    def _act(self) -> None:
        moment = self._left.popleft()
        moment.act.act(self._line)
        self.done.append((self._clock.time(), moment.act))
        self._next()

    @property
    def finished(self) -> bool:
        return not self._left

    def stop(self) -> None:
        """Do no more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._left.clear()
