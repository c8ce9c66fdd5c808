"""Which of a site's tests decide whether it is ready: those of its usual rooms and computers. Pure.

A site is as good as the best of them: one that is in order is where the consultation can be held. What is not
at the site, or not one of them, is shown and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.domain.calendar import DAY_MS
from server.domain.self_test import GREEN, OLD_MS, ORDER, RED, Standing, standing

USUAL_DAYS: Final = 2
"""Where a site has no rooms in its calendar: a computer tested on so many days is one of its usual ones."""
USUAL_MS: Final = 90 * DAY_MS


@dataclass(frozen=True, slots=True)
class Checked:
    """One test. `away`: whoever made it said that they were not at the site. `verdict` None: not finished."""

    device: str = field(repr=False)
    account_id: str
    at_ms: int
    verdict: str | None
    away: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A usual room or computer, as its last test left it."""

    last: Checked
    standing: Standing


@dataclass(frozen=True, slots=True)
class Readiness:
    """Of a site. `by`: the test that decides. `others`: usual places that are not green, the worst first."""

    standing: Standing
    by: Checked | None = None
    others: tuple[Place, ...] = ()

    @property
    def wants_test(self) -> bool:
        return self.standing != Standing(GREEN, "tested")


def readiness(tests: Sequence[Checked], rooms: Iterable[str], now_ms: int) -> Readiness:
    """`tests`: the site's, of the last 90 days at least; `rooms`: names of its rooms that are in use.

    Its verdict: the best of its usual places, each by its last finished test. Without any: red, and why is
    `elsewhere` when only other computers were tested, `unfinished`, `old` or `never`.
    """
    places = [_place(found, now_ms) for found in _usual(tests, rooms, now_ms).values()]
    if not places:
        return Readiness(_without(tests, now_ms), max(tests, key=lambda one: one.at_ms, default=None))
    places.sort(key=lambda one: (-ORDER.index(one.standing.verdict), -one.last.at_ms))
    best = min(places, key=_quality)
    others = tuple(one for one in places if one is not best and one.standing.verdict != GREEN)
    return Readiness(best.standing, best.last, others)


def _quality(place: Place) -> tuple[int, bool, int]:
    """Less is better: the verdict, then one that was really made, then the newest."""
    return ORDER.index(place.standing.verdict), place.standing.why != "tested", -place.last.at_ms


def _place(tests: Sequence[Checked], now_ms: int) -> Place:
    """By its last finished test; one that was broken off counts only where there is no other."""
    done = [one for one in tests if one.verdict is not None and now_ms - one.at_ms < OLD_MS]
    last = max(done or tests, key=lambda one: one.at_ms)
    return Place(last, standing((last.at_ms, last.verdict), now_ms))


def _without(tests: Sequence[Checked], now_ms: int) -> Standing:
    if any(one.verdict is not None and now_ms - one.at_ms < OLD_MS for one in tests):
        return Standing(RED, "elsewhere")
    newest = max(tests, key=lambda one: one.at_ms, default=None)
    return Standing(RED, "never") if newest is None else standing((newest.at_ms, newest.verdict), now_ms)


def _usual(tests: Sequence[Checked], rooms: Iterable[str], now_ms: int) -> dict[str, list[Checked]]:
    """Name → its tests: the rooms of the site, or without any, what was tested there on several days.

    A site that has neither yet goes by every computer that was named there.
    """
    named: dict[str, list[Checked]] = {}
    own = [_plain(room) for room in rooms]
    for one in tests:
        if one.away or not one.device or now_ms - one.at_ms >= USUAL_MS:
            continue
        name = _plain(one.device)
        if own:
            name = _room_of(name, own)
        if name:
            named.setdefault(name, []).append(one)
    if own:
        return named
    often = {name: found for name, found in named.items() if _days(found) >= USUAL_DAYS}
    return often or named


def _days(tests: Iterable[Checked]) -> int:
    return len({one.at_ms // DAY_MS for one in tests})


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _room_of(device: str, rooms: Sequence[str]) -> str:
    """ "Room 3, large screen" is in "Room 3", not in "Room 31"; "Room 3" is "Room 3 (upstairs)", if alone."""
    inside = [room for room in rooms if _begins(device, room)]
    meant = [room for room in rooms if _begins(room, device)]
    if inside:
        return max(inside, key=len)
    return meant[0] if len(meant) == 1 else ""


def _begins(name: str, start: str) -> bool:
    """With it, and not in the middle of a word or number."""
    return name == start or (name.startswith(start) and not name[len(start)].isalnum())
