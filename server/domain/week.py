"""A week of work as the clock on the wall tells it: each day's parts, with the breaks between them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

DAYS: Final = 7
DAY_MINUTES: Final = 24 * 60
MAX_PARTS: Final = 6
Part = tuple[int, int]
"""From, to: minutes since local midnight, the end not included."""


@dataclass(frozen=True, slots=True)
class Week:
    """Monday first. A day's parts are in order and apart; what lies between two of them is a break."""

    days: tuple[tuple[Part, ...], ...]

    def parts(self, weekday: int) -> tuple[Part, ...]:
        return self.days[weekday]

    def as_json(self) -> list[list[list[int]]]:
        return [[list(part) for part in day] for day in self.days]


ROUND_THE_CLOCK: Final = Week((((0, DAY_MINUTES),),) * DAYS)


def week_of(days: Sequence[Sequence[Sequence[int]]]) -> Week:
    """Raises ValueError for what is no week: seven days, parts in order, apart and within the day.

    Work past midnight is two parts: until 24:00, and from 00:00 of the next day.
    """
    if len(days) != DAYS:
        raise ValueError("a week has seven days")
    return Week(tuple(_day(day) for day in days))


def _day(parts: Sequence[Sequence[int]]) -> tuple[Part, ...]:
    if len(parts) > MAX_PARTS:
        raise ValueError("too many parts of a day")
    last = -1
    made: list[Part] = []
    for part in parts:
        if len(part) != 2:
            raise ValueError("a part has a beginning and an end")
        begin, end = part
        if not last < begin < end <= DAY_MINUTES:
            raise ValueError("parts of a day are in order, apart and within it")
        made.append((begin, end))
        last = end
    return tuple(made)


def office_hours(begin: int = 9, end: int = 18, lunch: int | None = None) -> Week:
    """Monday to Friday, whole hours; `lunch`: the hour that is free."""
    day: tuple[Part, ...] = ((begin * 60, end * 60),)
    if lunch is not None:
        day = ((begin * 60, lunch * 60), ((lunch + 1) * 60, end * 60))
    return Week((day,) * 5 + ((),) * 2)
