"""The monthly review of the audit: whether a look is within working hours, and belongs to somebody's work.

Pure. What it calls a look is `trail.is_look`. It judges nobody: it says what a person is to look at.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from server.domain.errors import Refused
from server.domain.week import Week, office_hours

WEEK_MS: Final = 7 * 86_400_000
AROUND_MS: Final = 2 * 3_600_000
"""A look so long before or after a consultation of one's own is within hours, whatever the clock says."""
GRACE_MIN: Final = 60
USUAL: Final = office_hours(7, 20)
"""Of a site that has set no hours."""
MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands to a case: `works` by role, site or name; `seats`: when those of theirs begin."""

    works: bool
    follows: bool
    seats: Sequence[int]


def month_ms(month: str) -> tuple[int, int]:
    """From, to (not included) of `2026-11`, in UTC. Raises Refused `bad_request`."""
    if not (found := MONTH.match(month)):
        raise Refused("bad_request")
    first = datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)
    then = (first + timedelta(days=32)).replace(day=1)
    return round(first.timestamp() * 1000), round(then.timestamp() * 1000)


def within_hours(at_ms: int, week: Week | None, zone: str, seats: Collection[int]) -> bool:
    """By the clock on their wall, an hour before and after included; or around a consultation of theirs."""
    if any(abs(at_ms - begins) <= AROUND_MS for begins in seats):
        return True
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    parts = (week or USUAL).parts(local.weekday())
    return any(begin - GRACE_MIN <= minute < end + GRACE_MIN for begin, end in parts)


def belongs(at_ms: int, standing: Standing, moved_ms: Sequence[int]) -> bool:
    """Whether there was a reason to look: a seat that week, a patient followed, or work on a case that moved.

    `moved_ms`: sorted instants at which something happened in the case or was agreed for it.
    """
    if standing.follows or near(at_ms, standing.seats):
        return True
    return standing.works and near(at_ms, moved_ms)


def near(at_ms: int, instants: Sequence[int]) -> bool:
    """Whether one of these (sorted) lies within a week before or after."""
    place = bisect_left(instants, at_ms - WEEK_MS)
    return place < len(instants) and instants[place] <= at_ms + WEEK_MS
