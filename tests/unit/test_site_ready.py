"""Whether a site is ready: by its usual rooms, whoever tested last; what is elsewhere decides nothing."""

from __future__ import annotations

import pytest

from server.domain.calendar import DAY_MS
from server.domain.self_test import AMBER, GREEN, OLD_MS, RED, STALE_MS, Standing
from server.domain.site_ready import Checked, readiness

NOW = 1_000 * DAY_MS
ROOMS = ("Room 3", "Room 31", "Приёмная")


def made(
    device: str, verdict: str | None, days_ago: float = 0.5, who: str = "kim", *, away: bool = False
) -> Checked:
    return Checked(device, who, NOW - round(days_ago * DAY_MS), verdict, away)


def at(*tests: Checked, rooms: tuple[str, ...] = ROOMS) -> Standing:
    return readiness(tests, rooms, NOW).standing


GREEN_ROOM, RED_ROOM = made("Room 3", GREEN, 2), made("Room 31", RED, 1, "lee")
TESTED = {verdict: Standing(verdict, "tested") for verdict in (GREEN, AMBER, RED)}


def test_one_room_in_order_is_enough_and_the_red_one_is_named_with_who_tested_it() -> None:
    found = readiness((GREEN_ROOM, RED_ROOM), ROOMS, NOW)
    assert found.standing == TESTED[GREEN]
    assert not found.wants_test
    assert found.by == GREEN_ROOM
    assert [(one.last.device, one.last.account_id, one.standing) for one in found.others] == [
        ("Room 31", "lee", TESTED[RED])
    ]


@pytest.mark.parametrize("verdict", [GREEN, AMBER, RED, None])
@pytest.mark.parametrize(
    "elsewhere", [made("my phone", None), made("Room 3", None, away=True), made("", None)]
)
def test_a_telephone_at_home_turns_a_centre_neither_red_nor_green(
    elsewhere: Checked, verdict: str | None
) -> None:
    home = Checked(elsewhere.device, "kim", NOW - 1_000, verdict, elsewhere.away)
    assert at(GREEN_ROOM, home) == TESTED[GREEN]
    assert at(RED_ROOM, home) == TESTED[RED]
    why = "unfinished" if verdict is None else "elsewhere"
    assert at(home) == Standing(RED, why), "the centre itself was not tested"


def test_a_rooms_last_finished_test_is_what_counts_for_it() -> None:
    assert at(made("Room 3", GREEN, 3), made("room  3", RED, 1)) == TESTED[RED]
    assert at(made("Room 3", RED, 3), made("ROOM 3", GREEN, 1)) == TESTED[GREEN]
    assert at(made("Room 3", GREEN, 3), made("Room 3", None, 0)) == TESTED[GREEN], "somebody broke one off"
    assert at(made("Room 3", None, 0)) == Standing(RED, "unfinished")


def test_a_computer_belongs_to_the_room_that_its_name_begins_with() -> None:
    assert at(made("Room 3, large screen", GREEN)) == TESTED[GREEN]
    found = readiness((made("Room 31", RED), made("room 3 - left", AMBER)), ROOMS, NOW)
    assert (found.standing, len(found.others)) == (TESTED[AMBER], 1), "31 is no part of 3"
    assert at(made("приёмная", GREEN)) == TESTED[GREEN]
    assert at(made("Room 4", GREEN)) == Standing(RED, "elsewhere")
    assert at(made("room 3", GREEN), rooms=("Room 3 (upstairs)", "Room 4")) == TESTED[GREEN]
    assert at(made("room", GREEN), rooms=("Room 3", "Room 4")) == Standing(RED, "elsewhere"), "which of them?"


def test_a_site_without_rooms_goes_by_the_computers_it_tests_on_several_days() -> None:
    usual = [made("desk", RED, 9), made("desk", RED, 1)]
    assert at(*usual, made("phone", GREEN, 0.1), rooms=()) == TESTED[RED]
    assert at(*usual, made("phone", GREEN, 0.1), made("phone", GREEN, 1.6), rooms=()) == TESTED[GREEN]
    assert at(made("phone", GREEN, 0.1), rooms=()) == TESTED[GREEN], "it has no usual one yet"
    assert at(made("", GREEN, 0.1), rooms=()) == Standing(RED, "elsewhere"), "nobody knows which it was"


@pytest.mark.parametrize(
    ("days_ago", "verdict", "expected"),
    [
        (STALE_MS / DAY_MS, GREEN, Standing(AMBER, "stale")),
        (STALE_MS / DAY_MS, RED, TESTED[RED]),
        (OLD_MS / DAY_MS, GREEN, Standing(RED, "old")),
        (200, GREEN, Standing(RED, "old")),
    ],
)
def test_what_was_in_order_grows_old(days_ago: float, verdict: str, expected: Standing) -> None:
    found = readiness((made("Room 3", verdict, days_ago),), ROOMS, NOW)
    assert found.standing == expected
    assert found.wants_test
    assert found.by is not None


def test_an_older_green_and_a_fresh_amber_are_the_better_of_both() -> None:
    found = readiness((made("Room 3", GREEN, 10), made("Room 31", AMBER, 1)), ROOMS, NOW)
    assert (found.standing, found.by) == (TESTED[AMBER], made("Room 31", AMBER, 1))
    assert found.others[0].standing == Standing(AMBER, "stale")


def test_a_site_that_never_tested_is_red() -> None:
    found = readiness((), ROOMS, NOW)
    assert (found.standing, found.by, found.wants_test) == (Standing(RED, "never"), None, True)
