"""What of each picture a receiver gets, by what its line carries and what its page shows. Pure.

Voices are not in here: they go on whatever happens, and a receiver's estimate counts pictures only. In the
order of `ORDER` each kind gets what it wants before the next one gets anything. Knows rates and heights;
must not see packets, keep anything between two calls, or read a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from media.layers import Level

ORDER = ("exam", "screen", "camera")
"""Highest priority first."""
SMALL_HEIGHT = 240
"""Device pixels: a face shown no higher than this is sent in its low layer, which has about 180 lines."""
LARGE = 10_000
UP_MARGIN, STAY_MARGIN = 1.1, 0.9
"""A step up needs a tenth more than it costs, and what is there may cost a tenth more than there is: so that
measured rates, which never stand still, switch nothing to and fro."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Picture:
    """One (source, kind) that flows. Rates in bit/s; 0 = there is no such layer."""

    source: str
    kind: str
    low_bps: int
    high_bps: int
    height: int | None = None
    """On the receiver's page in device pixels; 0 = not shown, None = its page has not said."""
    level: Level = "high"
    """What the receiver may have now."""
    high_flows: bool = True
    """False: the high layer is not sent at the moment, so nobody misses it; `high_bps` is what it would
    cost."""

    @property
    def key(self) -> Key:
        return (self.source, self.kind)

    @property
    def small(self) -> bool:
        """Whether its low layer is as good as any."""
        return (
            self.kind == "camera"
            and self.low_bps > 0
            and self.height is not None
            and self.height <= SMALL_HEIGHT
        )

    def cost(self, level: Level) -> int:
        """Bit/s."""
        return {"high": self.high_bps, "low": self.low_bps}.get(level, 0)


@dataclass(frozen=True, slots=True)
class Allocation:
    """`levels`: of every picture. `reduced`: those that get less than they should, for the line's sake; of
    them `paused` get nothing. `need_bps`: a budget at which another step up would be taken; 0 = nothing is
    wanted."""

    levels: dict[Key, Level]
    reduced: frozenset[Key] = frozenset()
    need_bps: int = 0
    spent_bps: int = 0
    """May be more than the budget for what is `kept`: a picture of one layer that cannot be had smaller, and
    whose line was filled by lesser ones beside it. With those gone it has another chance."""
    kept: bool = False

    @property
    def paused(self) -> list[Key]:
        return sorted(key for key in self.reduced if self.levels[key] in ("off", "stills"))


@dataclass(slots=True)
class _Purse:
    """What is left of a budget (None = no end of it), and the least budget that a denied step needs."""

    left: float | None
    spent: int = 0
    need_bps: int = 0
    denied: set[Key] = field(default_factory=set)

    def keep(self, picture: Picture) -> None:
        """At any price; nothing is left for others."""
        self.spent += picture.high_bps
        self.left = 0.0

    def buy(self, picture: Picture, have: Level, level: Level) -> bool:
        more = picture.cost(level) - picture.cost(have)
        margin = STAY_MARGIN if _RANK[picture.level] >= _RANK[level] else UP_MARGIN
        if self.left is not None and more * margin > self.left:
            self.denied.add(picture.key)
            step_bps = self.spent + int(more * UP_MARGIN) + 1
            self.need_bps = min(self.need_bps or step_bps, step_bps)
            return False
        self.spent += more
        if self.left is not None:
            self.left = max(0.0, self.left - more)
        return True


_RANK: dict[Level, int] = {"off": 0, "stills": 1, "low": 2, "high": 3}


def allocate(budget_bps: int | None, pictures: Sequence[Picture]) -> Allocation:
    """The levels for a line that carries `budget_bps` of pictures (None: no limit of it is known)."""
    purse = _Purse(None if budget_bps is None else float(budget_bps))
    levels: dict[Key, Level] = {picture.key: "off" for picture in pictures}
    kept = False
    for kind in ORDER:
        shown = sorted(
            _shown(pictures, kind), key=lambda p: (-(LARGE if p.height is None else p.height), p.key)
        )
        for picture in shown:
            first: Level = "low" if picture.low_bps else "high"
            if purse.buy(picture, "off", first):
                levels[picture.key] = first
            elif _crowded(picture, pictures):
                purse.denied.discard(picture.key)
                purse.keep(picture)
                kept, levels[picture.key] = True, "high"
        for picture in shown:
            if levels[picture.key] != "low" or picture.small or not picture.high_bps:
                continue
            need_bps = purse.need_bps
            if purse.buy(picture, "low", "high"):
                levels[picture.key] = "high"
            elif not picture.high_flows:  # nobody misses it: no reason to try the line for it
                purse.denied.discard(picture.key)
                purse.need_bps = need_bps
    return Allocation(levels, frozenset(purse.denied), purse.need_bps, purse.spent, kept)


def _crowded(picture: Picture, pictures: Iterable[Picture]) -> bool:
    """Whether it is on, has one layer, and lesser kinds are on beside it."""
    if picture.low_bps or picture.level != "high":
        return False
    lesser = ORDER[ORDER.index(picture.kind) + 1 :]
    return any(other.kind in lesser and other.height != 0 and _RANK[other.level] > 1 for other in pictures)


def bare(pictures: Sequence[Picture]) -> Allocation:
    """The levels for a line that carries a voice and stills: faces as stills, nothing of what needs more."""
    shown = {picture.key for picture in pictures if picture.height != 0}
    levels: dict[Key, Level] = {
        picture.key: "stills" if picture.kind == "camera" and picture.key in shown else "off"
        for picture in pictures
    }
    return Allocation(levels, frozenset(key for key in shown if levels[key] == "off"))


def _shown(pictures: Iterable[Picture], kind: str) -> list[Picture]:
    return [picture for picture in pictures if picture.kind == kind and picture.height != 0]
