"""When somebody, or a room, can be had: hours by the clock on the wall, as spans of instants. Pure.

The clock on the wall decides: an instant is within hours when its local weekday and minute are. So a change
of a country's offset, or an hour that comes twice or never, needs no rule of its own: spans are cut where the
offset changes, and within a piece local time is the instant plus a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from server.domain.hours import Span
from server.domain.week import ROUND_THE_CLOCK, Week

MINUTE_MS: Final = 60_000
DAY_MS: Final = 24 * 60 * MINUTE_MS
QUARTER_MS: Final = 15 * MINUTE_MS
LOOK_MS: Final = DAY_MS // 4
"""No zone changes its offset twice within so long."""
EPOCH: Final = date(1970, 1, 1)


class Cause(StrEnum):
    """Why a span is not free; the first that holds."""

    NO_HOURS = "no_hours"  # nobody has said when they work
    HOURS = "hours"
    HOLIDAY = "holiday"
    ABSENCE = "absence"
    BOOKED = "booked"


@dataclass(frozen=True, slots=True)
class Calendar:
    """`holidays`: local dates on which there is no work. `absences`, `booked`: instants."""

    zone: ZoneInfo
    week: Week | None
    holidays: frozenset[date] = frozenset()
    absences: tuple[Span, ...] = ()
    booked: tuple[Span, ...] = ()


def any_hour(calendar: Calendar) -> Calendar:
    """As if they worked always: who was reached by telephone. Absences and bookings stay."""
    return replace(calendar, week=ROUND_THE_CLOCK, holidays=frozenset())


def pieces(zone: ZoneInfo, span: Span) -> Iterator[tuple[int, int, int]]:
    """(from, to, offset in ms) of a span, cut wherever the zone's offset changes."""
    begin, end = span
    at, offset = begin, _offset(zone, begin)
    while at < end:
        ahead = min(at + LOOK_MS, end)
        if _offset(zone, ahead) == offset:
            at = ahead
            continue
        low, high = at, ahead  # the offset is still `offset` at low, and no more at high
        while high - low > 1:
            middle = (low + high) // 2
            if _offset(zone, middle) == offset:
                low = middle
            else:
                high = middle
        yield begin, high, offset
        begin = at = high
        offset = _offset(zone, at)
    if begin < end:
        yield begin, end, offset


def working(calendar: Calendar, span: Span, *, on_holidays: bool = False) -> list[Span]:
    """The parts of a span that are within the hours, in order; parts that touch are one."""
    if calendar.week is None:
        return []
    found: list[Span] = []
    for begin, end, offset in pieces(calendar.zone, span):
        for day in range((begin + offset) // DAY_MS, (end + offset - 1) // DAY_MS + 1):
            local = EPOCH + timedelta(days=day)
            if local in calendar.holidays and not on_holidays:
                continue
            for first, last in calendar.week.parts(local.weekday()):
                start = max(day * DAY_MS + first * MINUTE_MS - offset, begin)
                stop = min(day * DAY_MS + last * MINUTE_MS - offset, end)
                if start < stop:
                    found.append((start, stop))
    return joined(found)


def free(calendar: Calendar, span: Span) -> list[Span]:
    """Within hours, on no holiday, not away and not booked."""
    return without(working(calendar, span), [*calendar.absences, *calendar.booked])


def why_not(calendar: Calendar, span: Span) -> Cause | None:
    """What keeps this span from being free; None: nothing."""
    if calendar.week is None:
        return Cause.NO_HOURS
    if not _holds(working(calendar, span, on_holidays=True), span):
        return Cause.HOURS
    if not _holds(working(calendar, span), span):
        return Cause.HOLIDAY
    if any(_meet(span, away) for away in calendar.absences):
        return Cause.ABSENCE
    if any(_meet(span, taken) for taken in calendar.booked):
        return Cause.BOOKED
    return None


def joined(spans: Iterable[Span]) -> list[Span]:
    """In order, and those that touch or overlap made one."""
    made: list[Span] = []
    for begin, end in sorted(spans):
        if made and begin <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], end))
        else:
            made.append((begin, end))
    return made


def without(spans: Sequence[Span], taken: Iterable[Span]) -> list[Span]:
    """`spans` (in order, apart) less what is taken."""
    gone = joined(one for one in taken if one[0] < one[1])
    left: list[Span] = []
    for begin, end in spans:
        at = begin
        for first, last in gone:
            if last <= at or first >= end:
                continue
            if first > at:
                left.append((at, first))
            at = max(at, last)
        if at < end:
            left.append((at, end))
    return left


def instant(zone: ZoneInfo, local: datetime) -> int:
    """The instant at which a clock on that wall shows `local` (naive).

    An hour that comes twice: the first time. One that never comes: what a clock that nobody moved would show.
    """
    return _ms(local.replace(tzinfo=zone, fold=0))


def _ms(aware: datetime) -> int:
    return round(aware.timestamp() * 1000)


def _offset(zone: ZoneInfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo always has one
    return round(offset.total_seconds() * 1000)


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _holds(spans: Sequence[Span], span: Span) -> bool:
    return any(begin <= span[0] and span[1] <= end for begin, end in spans)
