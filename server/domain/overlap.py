"""Finds hours that suit everybody: physicians, an interpreter, rooms. Pure; the clock is an argument.

It looks at starts on whole quarters of an hour (UTC's, which are every zone's) and says, when there is none,
whose calendar is in the way and by what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, Literal

from server.domain.calendar import (
    DAY_MS,
    MINUTE_MS,
    QUARTER_MS,
    Calendar,
    Cause,
    free,
    without,
    working,
)
from server.domain.hours import Span

EDGE_MS: Final = 30 * MINUTE_MS
"""Nearer to the beginning or the end of somebody's hours is uncomfortable: they come late, or want to go."""
EDGE_WEIGHT: Final = 0.5
"""How many days' wait one uncomfortable person weighs."""
MAX_SLOTS: Final = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody, or a room, that would do. Of several the first free one is taken: order them by fitness."""

    id: str
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Need:
    """One of the candidates must be free. `comfort`: whether the edges of their hours count."""

    kind: str
    candidates: tuple[Candidate, ...]
    comfort: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """`chosen`: the candidate for each need, in their order; `edges`: those for whom it is uncomfortable."""

    starts_ms: int
    ends_ms: int
    chosen: tuple[str, ...]
    edges: tuple[str, ...]
    score: float  # days of waiting and discomfort: the less the better


How = Literal["nobody", "never", "alone", "pair", "together"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why there is no slot.

    nobody: a need without candidates; never: these have no free span that long themselves; alone: without
    this one the others would find one; pair: these two have none in common; together: all of them at once.
    `causes`, by person: of the starts in question (the others' where there are others, else all) how many
    are excluded by what.
    """

    how: How
    kinds: tuple[str, ...]
    who: tuple[str, ...]
    causes: Mapping[str, Mapping[Cause, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    slots: tuple[Slot, ...]
    obstacles: tuple[Obstacle, ...]


def starts_in(spans: Iterable[Span], length_ms: int) -> frozenset[int]:
    """Every start, on whole quarters, of something so long within one of the spans."""
    found: set[int] = set()
    for begin, end in spans:
        first = -(-begin // QUARTER_MS) * QUARTER_MS
        found.update(range(first, end - length_ms + 1, QUARTER_MS))
    return frozenset(found)


def find(needs: Sequence[Need], span: Span, length_ms: int, limit: int = MAX_SLOTS) -> Found:
    """The best slots first, none overlapping another; without any, what is in the way.

    Raises ValueError when nothing is needed, or somebody would be needed twice.
    """
    ids = [one.id for need in needs for one in need.candidates]
    if not needs or len(ids) != len(set(ids)):
        raise ValueError("somebody is needed, and nobody twice")
    everybody = [one for need in needs for one in need.candidates]
    starts = {one.id: starts_in(free(one.calendar, span), length_ms) for one in everybody}
    by_need = [frozenset[int]().union(*(starts[one.id] for one in need.candidates)) for need in needs]
    common = frozenset.intersection(*by_need)
    if not common:
        return Found((), tuple(_obstacles(needs, by_need, span, length_ms)))
    around = (span[0] - DAY_MS, span[1] + DAY_MS)  # the ends of the search are nobody's edges
    people = [one for need in needs if need.comfort for one in need.candidates]
    hours = {one.id: working(one.calendar, around) for one in people}
    slots = sorted(
        (_slot(needs, at, length_ms, starts, hours, span[0]) for at in common),
        key=lambda slot: (slot.score, slot.starts_ms),
    )
    return Found(tuple(_apart(slots, limit)), ())


def _slot(
    needs: Sequence[Need],
    at: int,
    length_ms: int,
    starts: Mapping[str, frozenset[int]],
    hours: Mapping[str, list[Span]],
    from_ms: int,
) -> Slot:
    chosen = tuple(next(one.id for one in need.candidates if at in starts[one.id]) for need in needs)
    end = at + length_ms
    edges = tuple(id_ for id_ in chosen if id_ in hours and _is_at_an_edge(hours[id_], at, end))
    return Slot(at, end, chosen, edges, (at - from_ms) / DAY_MS + EDGE_WEIGHT * len(edges))


def _is_at_an_edge(hours: Iterable[Span], at: int, end: int) -> bool:
    begin, stop = next(one for one in hours if one[0] <= at and end <= one[1])
    return at - begin < EDGE_MS or stop - end < EDGE_MS


def _apart(slots: Iterable[Slot], limit: int) -> list[Slot]:
    """The best ones that leave each other alone: a quarter later is no other proposal."""
    taken: list[Slot] = []
    for slot in slots:
        if len(taken) == limit:
            break
        if all(slot.ends_ms <= one.starts_ms or one.ends_ms <= slot.starts_ms for one in taken):
            taken.append(slot)
    return taken


def _obstacles(
    needs: Sequence[Need], by_need: Sequence[frozenset[int]], span: Span, length_ms: int
) -> list[Obstacle]:
    """The nearest explanation only: who has none at all; the one who alone is in the way; which two; which of
    several, each alone; all."""
    if empty := [need for need in needs if not need.candidates]:
        return [Obstacle("nobody", (need.kind,), ()) for need in empty]
    whole = starts_in([span], length_ms)
    if never := [need for need, starts in zip(needs, by_need, strict=True) if not starts]:
        return [_obstacle("never", (need,), whole, span, length_ms) for need in never]
    alone = []
    for index, need in enumerate(needs):
        others = [starts for other, starts in enumerate(by_need) if other != index]
        if rest := frozenset.intersection(*others):  # not empty: a single need would have been "never"
            alone.append(_obstacle("alone", (need,), rest, span, length_ms))
    if len(alone) == 1:
        return alone
    pairs = [
        _obstacle("pair", (one, other), first | second, span, length_ms)
        for (one, first), (other, second) in combinations(zip(needs, by_need, strict=True), 2)
        if first.isdisjoint(second)
    ]
    return pairs or alone or [_obstacle("together", tuple(needs), whole, span, length_ms)]


def _obstacle(
    how: How, needs: tuple[Need, ...], starts: frozenset[int], span: Span, length_ms: int
) -> Obstacle:
    causes = {
        one.id: _causes(one.calendar, starts, span, length_ms) for need in needs for one in need.candidates
    }
    return Obstacle(how, tuple(need.kind for need in needs), tuple(causes), causes)


def _causes(calendar: Calendar, starts: frozenset[int], span: Span, length_ms: int) -> dict[Cause, int]:
    """How many of these starts are excluded by what: each counts once, for its first cause."""
    if calendar.week is None:
        return {Cause.NO_HOURS: len(starts)} if starts else {}
    days = working(calendar, span)
    there = without(days, calendar.absences)
    layers = (
        (Cause.HOURS, working(calendar, span, on_holidays=True)),
        (Cause.HOLIDAY, days),
        (Cause.ABSENCE, there),
        (Cause.BOOKED, without(there, calendar.booked)),
    )
    found: dict[Cause, int] = {}
    left = starts
    for cause, spans in layers:
        kept = left & starts_in(spans, length_ms)
        if len(kept) < len(left):
            found[cause] = len(left) - len(kept)
        left = kept
    return found
