"""The finder of hours agrees with trying every quarter by hand, and says who is in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.calendar import DAY_MS, MINUTE_MS, QUARTER_MS, Calendar, Cause, why_not
from server.domain.overlap import EDGE_MS, Candidate, Need, find
from server.domain.week import office_hours, week_of
from tests.unit.test_calendar import ALMATY, CHANGES, NEW_YORK, SEOUL, ZONES, is_within, utc, weeks

HOUR = 60 * MINUTE_MS
MONDAY = utc(2026, 11, 30)
WEEK = (MONDAY, MONDAY + 7 * DAY_MS)
EVER = [[(0, 1440)]] * 7


def of(kind: str, *calendars: Calendar, comfort: bool = True) -> Need:
    return Need(kind, tuple(Candidate(f"{kind}{n}", one) for n, one in enumerate(calendars)), comfort)


def suits(calendar: Calendar, start: int, length: int) -> bool:
    """Every five minutes of it within hours, and touching nothing that is taken: by the rule itself."""
    inside = all(is_within(calendar, at) for at in range(start, start + length, 5 * MINUTE_MS))
    taken = [*calendar.absences, *calendar.booked]
    return inside and not any(start < end and begin < start + length for begin, end in taken)


@st.composite
def calendars(draw: Callable[..., object], day: date) -> Calendar:
    zone = ZoneInfo(str(draw(st.sampled_from(ZONES))))
    off = draw(st.sets(st.integers(0, 3), max_size=2))
    begin = utc(day.year, day.month, day.day)
    blocks = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(
        lambda pair: (begin + pair[0] * HOUR, begin + (pair[0] + pair[1]) * HOUR)
    )
    taken = draw(st.lists(blocks, max_size=2))
    return Calendar(
        zone,
        draw(weeks()),  # type: ignore[arg-type]
        frozenset(day + timedelta(days=each) for each in off),  # type: ignore[attr-defined]
        absences=tuple(taken),  # type: ignore[arg-type]
        booked=tuple(draw(st.lists(blocks, max_size=2))),  # type: ignore[arg-type]
    )


@settings(deadline=None)  # a busy machine is no failure
@given(data=st.data(), day=st.sampled_from(CHANGES), minutes=st.sampled_from([15, 30, 45, 60]))
def test_the_finder_agrees_with_trying_every_quarter(
    data: st.DataObject, day: tuple[int, int, int], minutes: int
) -> None:
    first = date(*day)
    kinds = [data.draw(st.lists(calendars(first), min_size=1, max_size=2)) for _ in range(2)]
    needs = [of(f"kind{n}-", *found) for n, found in enumerate(kinds)]
    length = minutes * MINUTE_MS
    span = (utc(*day), utc(*day) + 2 * DAY_MS)
    every = range(-(-span[0] // QUARTER_MS) * QUARTER_MS, span[1] - length + 1, QUARTER_MS)
    possible = {
        at
        for at in every
        if all(any(suits(one.calendar, at, length) for one in need.candidates) for need in needs)
    }
    found = find(needs, span, length, limit=10_000)
    assert bool(found.slots) == bool(possible)
    assert bool(found.obstacles) != bool(possible)
    by_id = {one.id: one.calendar for need in needs for one in need.candidates}
    for slot in found.slots:
        assert slot.starts_ms in possible
        assert slot.ends_ms == slot.starts_ms + length
        assert all(suits(by_id[id_], slot.starts_ms, length) for id_ in slot.chosen)
        assert all(why_not(by_id[id_], (slot.starts_ms, slot.ends_ms)) is None for id_ in slot.chosen)
    # None is left out that would stand beside those proposed.
    for at in possible:
        assert any(at < slot.ends_ms and slot.starts_ms < at + length for slot in found.slots)
    for obstacle in found.obstacles:
        for id_, causes in obstacle.causes.items():
            if obstacle.how == "never":
                why = Counter(why_not(by_id[id_], (at, at + length)) for at in every)
                assert causes == {cause: n for cause, n in why.items() if cause is not None}


def test_almaty_and_seoul_meet_when_both_work_and_the_middle_of_the_day_comes_first() -> None:
    needs = [
        of("referring", Calendar(ALMATY, office_hours())),
        of("consulting", Calendar(SEOUL, office_hours())),
    ]
    slots = find(needs, WEEK, HOUR).slots
    assert len(slots) == 12
    best = slots[0]
    assert best.starts_ms == MONDAY + 4 * HOUR + 2 * QUARTER_MS, "Monday 09:30 in Almaty, 13:30 in Seoul"
    assert best.edges == ()
    for slot in slots:
        assert 4 * HOUR <= (slot.starts_ms - MONDAY) % DAY_MS < 9 * HOUR
    two_hours = (MONDAY + 4 * HOUR, MONDAY + 5 * HOUR + QUARTER_MS)
    [early] = find(needs, two_hours, HOUR).slots
    assert early.edges == ("referring0",), "09:00 or 09:15 in Almaty is all there is"


def test_of_several_interpreters_the_fittest_free_one_is_taken() -> None:
    week = office_hours()
    noon = MONDAY + 3 * HOUR
    busy = Calendar(SEOUL, week, booked=((MONDAY, noon),))
    needs = [of("consulting", Calendar(SEOUL, week)), of("interpreter", busy, Calendar(SEOUL, week))]
    by_start = {slot.starts_ms: slot.chosen[1] for slot in find(needs, WEEK, HOUR, 100).slots}
    assert {who for at, who in by_start.items() if at < noon} == {"interpreter1"}
    assert {who for at, who in by_start.items() if at >= noon} == {"interpreter0"}


def test_a_room_is_never_uncomfortable() -> None:
    always = Calendar(SEOUL, week_of(EVER))
    narrow = Calendar(SEOUL, week_of([[(600, 660)]] + [[]] * 6))
    [slot] = find([of("person", always), of("room", narrow, comfort=False)], WEEK, HOUR).slots
    assert slot.edges == ()
    [slot] = find([of("person", narrow), of("room", always, comfort=False)], WEEK, HOUR).slots
    assert slot.edges == ("person0",)
    assert EDGE_MS == 2 * QUARTER_MS


def test_a_need_without_anybody_is_named() -> None:
    found = find([of("consulting", Calendar(SEOUL, office_hours())), of("interpreter")], WEEK, HOUR)
    assert [(one.how, one.kinds) for one in found.obstacles] == [("nobody", ("interpreter",))]


def test_whose_calendar_alone_is_in_the_way_is_named_with_its_causes() -> None:
    week = office_hours()
    holidays = frozenset(date(2026, 11, 30) + timedelta(days=n) for n in range(2))
    away = Calendar(SEOUL, week, holidays, absences=((MONDAY + 2 * DAY_MS, MONDAY + 5 * DAY_MS),))
    needs = [of("referring", Calendar(ALMATY, week)), of("consulting", away)]
    [obstacle] = find(needs, WEEK, HOUR).obstacles
    assert (obstacle.how, obstacle.kinds) == ("never", ("consulting",))
    some = Calendar(SEOUL, week, absences=((MONDAY + 3 * HOUR, MONDAY + 7 * DAY_MS),))
    three = [
        of("referring", Calendar(ALMATY, week)),
        of("consulting", Calendar(SEOUL, office_hours(13, 18))),
        of("interpreter", some),
    ]
    [alone] = find(three, WEEK, HOUR).obstacles
    assert (alone.how, alone.kinds, alone.who) == ("alone", ("interpreter",), ("interpreter0",))
    assert alone.causes["interpreter0"] == {Cause.ABSENCE: 85}, (
        "17 starts that suit the others on each of 5 days"
    )


def test_two_who_never_work_at_the_same_time_are_named_together() -> None:
    week = office_hours()
    needs = [of("referring", Calendar(NEW_YORK, week)), of("consulting", Calendar(SEOUL, week))]
    [pair] = find(needs, WEEK, HOUR).obstacles
    assert (pair.how, pair.kinds) == ("pair", ("referring", "consulting"))
    assert set(pair.causes["referring0"]) == {Cause.HOURS}
    anybody = of("interpreter", Calendar(ALMATY, week_of(EVER)))
    [again] = find([*needs, anybody], WEEK, HOUR).obstacles
    assert again.kinds == pair.kinds


def test_three_of_whom_any_two_would_meet_are_in_the_way_together() -> None:
    def on(*days: int) -> Calendar:
        return Calendar(SEOUL, week_of([[(540, 600)] if day in days else [] for day in range(7)]))

    found = find([of("a", on(0, 1)), of("b", on(1, 2)), of("c", on(0, 2))], WEEK, HOUR).obstacles
    assert {each.how for each in found} == {"alone"}
    assert [each.causes for each in found] == [{name: {Cause.HOURS: 1}} for name in ("a0", "b0", "c0")]
    apart = [of("a", on(0, 1, 3)), of("b", on(1, 2, 4)), of("c", on(0, 2, 5)), of("d", on(3, 4, 5, 6))]
    [together] = find(apart, WEEK, HOUR).obstacles
    assert (together.how, together.kinds) == ("together", ("a", "b", "c", "d"))


def test_nobody_is_needed_twice_and_somebody_is() -> None:
    one = Need("a", (Candidate("x", Calendar(SEOUL, office_hours())),))
    for needs in ([], [one, Need("b", one.candidates)]):
        with pytest.raises(ValueError, match="somebody"):
            find(needs, WEEK, HOUR)
