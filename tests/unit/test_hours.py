"""Hours worked, from who came and went: falls, kills, midnights, and days that are not 24 hours long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.hours import AWAY, HERE, LEFT, Note, by_day, local, minutes, presence

SEOUL, BERLIN, SANTIAGO = (ZoneInfo(name) for name in ("Asia/Seoul", "Europe/Berlin", "America/Santiago"))
HOUR = 3_600_000


def at(text: str, zone: ZoneInfo) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def notes(*told: tuple[int, str], seat: str | None = "in") -> list[Note]:
    return [Note(when, what, seat) for when, what in told]


def test_from_joining_to_leaving() -> None:
    assert presence(notes((10, "joined"), (70, "left")), "in", None) == [(10, 70)]


def test_a_short_fall_is_no_break_and_a_second_visit_is_one_of_its_own() -> None:
    told = notes(
        (0, "joined"),
        (10, "away"),
        (20, "back"),
        (30, "replaced"),
        (40, "left"),
        (90, "joined"),
        (95, "left"),
    )
    assert presence(told, "in", None) == [(0, 40), (90, 95)]


def test_who_was_lost_and_did_not_return_left_when_they_were_lost() -> None:
    assert presence(notes((0, "joined"), (100, "away"), (130, "gone")), "in", None) == [(0, 100)]


@pytest.mark.parametrize("word", sorted(LEFT))
def test_every_way_out_ends_it(word: str) -> None:
    assert presence(notes((0, "joined"), (50, word)), "in", None) == [(0, 50)]


def test_the_end_of_a_session_ends_it_and_a_kill_that_noted_nothing_does_so_at_its_last_word() -> None:
    ended = [*notes((0, "joined")), Note(80, "ended", None)]
    assert presence(ended, "in", None) == [(0, 80)]
    killed = [*notes((0, "joined")), *notes((60, "media"), seat="kp")]
    assert presence(killed, "in", None) == [(0, 60)]
    assert presence(killed, "in", 500) == [(0, 500)]  # it runs on: they are still there


def test_others_hours_are_not_ones_own() -> None:
    told = [*notes((0, "joined"), seat="kp"), *notes((5, "joined")), *notes((9, "left"), seat="kp")]
    assert presence([*told, *notes((20, "left"))], "in", None) == [(5, 20)]


def test_a_night_is_parted_at_local_midnight() -> None:
    night = (at("2026-11-25T23:30:00", SEOUL), at("2026-11-26T00:45:00", SEOUL))
    days = by_day([night], SEOUL)
    assert {day: minutes(parts) for day, parts in days.items()} == {"2026-11-25": 30.0, "2026-11-26": 45.0}
    assert list(by_day([night], ZoneInfo("UTC"))) == ["2026-11-25"]


def test_the_hour_that_comes_twice_is_worked_twice_and_told_with_its_offset() -> None:
    begin = at("2026-10-25T01:30:00", BERLIN)
    span = (begin, begin + 2 * HOUR)  # 01:30 +02 to 02:30 +01
    assert minutes(by_day([span], BERLIN)["2026-10-25"]) == 120.0
    assert [local(instant, BERLIN) for instant in span] == [
        "2026-10-25T01:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
    ]


def test_days_of_23_and_25_hours_hold_just_that() -> None:
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        begin = at(f"{day}T00:00:00", BERLIN)
        found = by_day([(begin - HOUR, begin + 40 * HOUR)], BERLIN)
        assert minutes(found[day]) == hours * 60, day


def test_a_midnight_that_does_not_exist_parts_the_days_all_the_same() -> None:
    before = at("2026-09-05T23:30:00", SANTIAGO)  # at 24:00 the clocks go to 01:00
    found = by_day([(before, before + HOUR)], SANTIAGO)
    assert {day: minutes(parts) for day, parts in found.items()} == {"2026-09-05": 30.0, "2026-09-06": 30.0}


WORDS = sorted(HERE | LEFT | {AWAY, "consent_granted"})
LINES = st.lists(st.tuples(st.integers(0, 10**7), st.sampled_from(WORDS)), max_size=30)


@given(lines=LINES, over=st.booleans())
def test_spans_are_in_order_apart_and_within_the_session(
    lines: Iterable[tuple[int, str]], over: bool
) -> None:
    told = notes(*sorted(lines))
    until = None if over else 10**7
    spans = presence(told, "in", until)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= edge <= 10**7 for edge in edges)
    for zone in (SEOUL, BERLIN):
        parts = [part for day in by_day(spans, zone).values() for part in day]
        assert sum(end - begin for begin, end in parts) == sum(end - begin for begin, end in spans)
