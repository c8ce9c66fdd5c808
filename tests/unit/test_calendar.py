"""Working hours become instants: by the clock on the wall, whatever a country does to its offset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.calendar import (
    DAY_MS,
    MINUTE_MS,
    QUARTER_MS,
    Calendar,
    Cause,
    free,
    instant,
    joined,
    pieces,
    why_not,
    without,
    working,
)
from server.domain.hours import Span
from server.domain.two_clocks import on_clocks, shown, zone_of
from server.domain.week import DAY_MINUTES, Week, office_hours, week_of

ALMATY, NEW_YORK, SEOUL = (ZoneInfo(name) for name in ("Asia/Almaty", "America/New_York", "Asia/Seoul"))
ZONES = (
    "Asia/Almaty",
    "Asia/Seoul",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tashkent",
    "Asia/Ulaanbaatar",
    "Australia/Lord_Howe",  # changes by half an hour
    "Africa/Casablanca",  # changes around Ramadan
    "Pacific/Apia",  # has left out a whole day
    "America/St_Johns",
)
#: Around changes: Almaty's, New York's both, Lord Howe's, Apia's lost day.
CHANGES = (
    (2024, 2, 28),
    (2024, 3, 10),
    (2024, 11, 2),
    (2024, 4, 6),
    (2011, 12, 29),
    (2026, 3, 7),
    (2026, 10, 31),
)


def utc(*when: int) -> int:
    return round(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def is_within(calendar: Calendar, at_ms: int) -> bool:
    """The rule itself, an instant at a time."""
    local = datetime.fromtimestamp(at_ms / 1000, calendar.zone)
    if calendar.week is None or local.date() in calendar.holidays:
        return False
    minute = local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in calendar.week.parts(local.weekday()))


@st.composite
def weeks(draw: Callable[..., object]) -> Week:
    def day() -> list[tuple[int, int]]:
        marks = draw(
            st.lists(st.integers(0, DAY_MINUTES // 15), unique=True, max_size=6).map(
                lambda found: sorted(found)[: len(found) // 2 * 2]
            )
        )
        return [(marks[i] * 15, marks[i + 1] * 15) for i in range(0, len(marks), 2)]  # type: ignore[index, arg-type]

    return week_of([day() for _ in range(7)])


zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.sampled_from(CHANGES)


@settings(deadline=None)  # a busy machine is no failure
@given(zone=zones, week=weeks(), day=days, off=st.sets(st.integers(0, 3)))
def test_an_instant_is_within_hours_when_the_clock_on_the_wall_says_so(
    zone: ZoneInfo, week: Week, day: tuple[int, int, int], off: set[int]
) -> None:
    begin = utc(*day)
    span = (begin, begin + 3 * DAY_MS)
    holidays = frozenset(date(*day) + timedelta(days=each) for each in off)
    calendar = Calendar(zone, week, holidays)
    found = working(calendar, span)
    assert found == joined(found)
    for at in range(begin, span[1], 5 * MINUTE_MS):
        assert any(first <= at < last for first, last in found) == is_within(calendar, at), at


@settings(deadline=None)  # a busy machine is no failure
@given(zone=zones, day=days)
def test_pieces_of_one_offset_cover_a_span_without_a_gap(zone: ZoneInfo, day: tuple[int, int, int]) -> None:
    begin = utc(*day)
    found = list(pieces(zone, (begin, begin + 4 * DAY_MS)))
    assert found[0][0] == begin
    assert found[-1][1] == begin + 4 * DAY_MS
    assert all(one[1] == two[0] and one[2] != two[2] for one, two in pairwise(found))


def test_almaty_keeps_its_nine_oclock_over_the_change_of_march_2024() -> None:
    office = Calendar(ALMATY, office_hours())
    before, after = working(office, (utc(2024, 2, 29), utc(2024, 3, 2)))
    assert before == (utc(2024, 2, 29, 3), utc(2024, 2, 29, 12)), "UTC+6"
    assert after == (utc(2024, 3, 1, 4), utc(2024, 3, 1, 13)), "UTC+5"
    night = Calendar(ALMATY, week_of([[(0, DAY_MINUTES)]] * 7))
    assert working(night, (utc(2024, 2, 28), utc(2024, 3, 3))) == [(utc(2024, 2, 28), utc(2024, 3, 3))]
    change = Calendar(ALMATY, week_of([[]] * 3 + [[(23 * 60, DAY_MINUTES)]] + [[]] * 3))
    [evening] = working(change, (utc(2024, 2, 29), utc(2024, 3, 2)))
    assert (evening[1] - evening[0]) // MINUTE_MS == 120, "the hour before midnight came twice"


def test_new_yorks_hour_that_never_comes_and_the_one_that_comes_twice() -> None:
    two_to_four = Calendar(NEW_YORK, week_of([[]] * 6 + [[(120, 240)]]))
    [spring] = working(two_to_four, (utc(2026, 3, 8), utc(2026, 3, 9)))
    assert spring == (utc(2026, 3, 8, 7), utc(2026, 3, 8, 8)), "from 03:00, which follows 01:59"
    one_to_two = Calendar(NEW_YORK, week_of([[]] * 6 + [[(60, 120)]]))
    [autumn] = working(one_to_two, (utc(2026, 11, 1), utc(2026, 11, 2)))
    assert autumn == (utc(2026, 11, 1, 5), utc(2026, 11, 1, 7)), "01:00 to 02:00, twice"
    assert instant(NEW_YORK, datetime(2026, 11, 1, 1, 30)) == utc(2026, 11, 1, 5, 30)  # noqa: DTZ001
    assert instant(NEW_YORK, datetime(2026, 3, 8, 2, 30)) == utc(2026, 3, 8, 7, 30)  # noqa: DTZ001


@settings(deadline=None)  # a busy machine is no failure
@given(zone=zones, at=st.integers(utc(2023, 1, 1) // QUARTER_MS, utc(2028, 1, 1) // QUARTER_MS))
def test_what_a_clock_shows_names_its_instant_again(zone: ZoneInfo, at: int) -> None:
    at_ms = at * QUARTER_MS
    made = shown(at_ms, zone.key)
    parsed = datetime.fromisoformat(made.local)
    assert round(parsed.timestamp() * 1000) == at_ms
    assert parsed.weekday() == made.weekday
    back = instant(zone, parsed.replace(tzinfo=None))
    twice = {parsed.utcoffset(), datetime.fromtimestamp(back / 1000, zone).utcoffset()}
    assert back == at_ms or len(twice) == 2


def test_two_clocks_show_one_instant_with_zone_and_weekday() -> None:
    sunday_night = utc(2026, 11, 29, 20)
    seoul, new_york, kathmandu = on_clocks(
        sunday_night, ["Asia/Seoul", "America/New_York", "Asia/Seoul", "Asia/Kathmandu"]
    )
    assert (seoul.local, seoul.weekday) == ("2026-11-30T05:00+09:00", 0)
    assert (new_york.local, new_york.weekday) == ("2026-11-29T15:00-05:00", 6)
    assert (kathmandu.local, kathmandu.weekday) == ("2026-11-30T01:45+05:45", 0)
    for wrong in ("Mars/Olympus", "", "../etc/passwd", "Asia"):
        with pytest.raises(ValueError, match="zone"):
            zone_of(wrong)


def test_zones_of_the_world_are_cut_into_few_pieces() -> None:
    for name in sorted(available_timezones())[::8]:
        found = list(pieces(ZoneInfo(name), (utc(2024, 1, 1), utc(2024, 12, 31))))
        assert 1 <= len(found) <= 5, name


def test_the_first_thing_in_the_way_is_named() -> None:
    noon = utc(2026, 12, 1, 3)  # 12:00 in Seoul, a Tuesday
    span = (noon, noon + 60 * MINUTE_MS)
    week = office_hours(lunch=13)
    assert why_not(Calendar(SEOUL, week), span) is None
    assert why_not(Calendar(SEOUL, None), span) is Cause.NO_HOURS
    assert why_not(Calendar(SEOUL, week), (noon, noon + 90 * MINUTE_MS)) is Cause.HOURS, "into lunch"
    assert why_not(Calendar(SEOUL, week, frozenset({date(2026, 12, 1)})), span) is Cause.HOLIDAY
    away = (noon + 59 * MINUTE_MS, noon + 600 * MINUTE_MS)
    assert why_not(Calendar(SEOUL, week, absences=(away,)), span) is Cause.ABSENCE
    assert why_not(Calendar(SEOUL, week, absences=(away,), booked=(span,)), span) is Cause.ABSENCE
    assert why_not(Calendar(SEOUL, week, booked=(span,)), span) is Cause.BOOKED
    next_one = (span[1] - QUARTER_MS, span[1])
    assert why_not(Calendar(SEOUL, week, booked=((noon, next_one[0]),)), next_one) is None, "back to back"


spans = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (min(pair), max(pair)))


@settings(deadline=None)  # a busy machine is no failure
@given(kept=st.lists(spans, max_size=6), taken=st.lists(spans, max_size=6))
def test_what_is_taken_is_gone_and_nothing_else(kept: list[Span], taken: list[Span]) -> None:
    left = without(joined(one for one in kept if one[0] < one[1]), taken)
    for at in range(60):
        wanted = any(a <= at < b for a, b in kept) and not any(a <= at < b for a, b in taken)
        assert any(a <= at < b for a, b in left) == wanted


def test_free_is_within_hours_and_neither_away_nor_booked() -> None:
    day = (utc(2026, 12, 1), utc(2026, 12, 2))
    calendar = Calendar(
        SEOUL,
        office_hours(),
        absences=((utc(2026, 12, 1, 0), utc(2026, 12, 1, 1)),),
        booked=((utc(2026, 12, 1, 3), utc(2026, 12, 1, 4)),),
    )
    assert free(calendar, day) == [
        (utc(2026, 12, 1, 1), utc(2026, 12, 1, 3)),
        (utc(2026, 12, 1, 4), utc(2026, 12, 1, 9)),
    ]


@pytest.mark.parametrize(
    "days",
    [
        [[]] * 6,
        [[]] * 8,
        [[(0, 1441)]] + [[]] * 6,
        [[(-1, 60)]] + [[]] * 6,
        [[(60, 60)]] + [[]] * 6,
        [[(60, 120), (120, 180)]] + [[]] * 6,
        [[(120, 180), (0, 60)]] + [[]] * 6,
        [[(1, 2, 3)]] + [[]] * 6,
        [[(i * 20, i * 20 + 10) for i in range(7)]] + [[]] * 6,
    ],
)
def test_what_is_no_week_is_refused(days: list[list[tuple[int, int]]]) -> None:
    with pytest.raises(ValueError, match=r"day|part"):
        week_of(days)


def test_a_week_survives_its_way_through_json() -> None:
    week = office_hours(lunch=13)
    assert week_of(week.as_json()) == week
