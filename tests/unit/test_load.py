"""Which worker takes a room, and when nobody is let in any more: numbers in, a decision out."""

from __future__ import annotations

import pytest

from server.runtime.load import FRESH_S, ROOM_SHARE, Candidate, Limits, Load, choose

LIMITS = Limits()


def load(cpu: float = 0.0, packets: float = 0.0, lag: float = 0.0, sessions: float = 0.0) -> Load:
    return Load(cpu=cpu, packets=packets, lag_p99_ms=lag, sessions=sessions)


def placed(rooms: int, workers: int) -> list[int]:
    """Rooms one after the other on idle workers, none measured yet."""
    count = [0] * workers
    for _ in range(rooms):
        idle = [Candidate(str(i), Load(), n, n) for i, n in enumerate(count)]
        chosen = choose(idle, LIMITS)
        assert chosen is not None
        count[int(chosen)] += 1
    return count


def test_rooms_that_come_at_once_are_spread_before_anything_is_measured() -> None:
    assert placed(8, 2) == [4, 4]
    assert placed(9, 4) == [3, 2, 2, 2]


def test_the_worker_with_less_to_do_takes_the_room() -> None:
    busy, idle = Candidate("a", load(cpu=0.3), 3, 0), Candidate("b", load(cpu=0.1), 3, 0)
    assert choose([busy, idle], LIMITS) == "b"
    many_packets = Candidate("b", load(cpu=0.1, packets=60_000), 3, 0)
    assert choose([busy, many_packets], LIMITS) == "a"


def test_what_was_just_placed_counts_before_it_is_measured() -> None:
    first, second = Candidate("a", load(cpu=0.10), 3, 3), Candidate("b", load(cpu=0.12), 3, 0)
    assert choose([first, second], LIMITS) == "b"
    assert 0 < ROOM_SHARE < 0.05
    assert FRESH_S > 4, "two measurements at least"


def test_a_room_stays_where_it_was_unless_that_worker_is_full_or_leaves() -> None:
    here, idle = Candidate("a", load(cpu=0.5), 9, 0), Candidate("b", Load(), 0, 0)
    assert choose([here, idle], LIMITS, stay="a") == "a"
    full = Candidate("a", load(cpu=0.71), 9, 0)
    assert choose([full, idle], LIMITS, stay="a") == "b"
    leaving = Candidate("a", Load(), 1, 0, serving=False)
    assert choose([leaving, idle], LIMITS, stay="a") == "b"


def test_a_running_consultation_is_placed_even_when_all_are_full_and_nowhere_when_none_serves() -> None:
    full = [Candidate("a", load(cpu=0.95), 30, 0), Candidate("b", load(cpu=0.8), 28, 0)]
    assert choose(full, LIMITS) == "b"
    assert choose([Candidate("a", Load(), 0, 0, serving=False)], LIMITS) is None


@pytest.mark.parametrize(
    ("found", "room", "peer"),
    [
        (load(), True, True),
        (load(cpu=0.69), True, True),
        (load(cpu=0.7), False, True),
        (load(cpu=0.86), False, False),
        (load(packets=70_001), False, True),
        (load(packets=90_001), False, False),
        (load(sessions=112), False, True),
        (load(sessions=120), False, False),
        (load(cpu=0.3, lag=31), False, True),
        (load(cpu=0.3, lag=81), False, False),
        (load(cpu=0.05, lag=200), True, True),  # the machine is late, not the worker
    ],
)
def test_rooms_are_refused_before_people_and_both_before_it_hurts(
    found: Load, room: bool, peer: bool
) -> None:
    assert (found.takes_room(LIMITS), found.takes_peer(LIMITS)) == (room, peer)
    assert (found.share(LIMITS) >= 1) == (not room)


def test_rates_come_from_two_answers_a_second_apart_and_a_restart_is_no_negative_rate() -> None:
    told = {"packets_in": 1000, "packets_forwarded": 2000, "cpu_seconds": 1.0, "sessions": 3}
    first = Load().next(100.0, told)
    assert (first.cpu, first.packets, first.sessions) == (0, 0, 3)
    more = {**told, "packets_in": 3000, "packets_forwarded": 6000, "cpu_seconds": 1.6}
    at_once = first.next(100.1, more)
    assert at_once.packets == 0, "too soon for a rate"
    assert at_once.raw["packets_in"] == 3000
    second = at_once.next(102.0, more)
    assert second.packets == pytest.approx(1500)  # half of 3000 a second: smoothed
    assert second.cpu == pytest.approx(0.15)
    assert second.cpu_us_per_packet == pytest.approx(100)
    again = second.next(104.0, {"packets_in": 5, "packets_forwarded": 5, "cpu_seconds": 0.1})
    assert again.packets == pytest.approx(750)


def test_an_operators_limit_leaves_a_few_places_for_rooms_that_run() -> None:
    assert Limits.of(120).sessions.peer == 120
    assert Limits.of(120).sessions.room == 112
    assert Limits.of(1).sessions.room == 1


def test_rooms_let_in_a_moment_ago_count_before_they_are_measured() -> None:
    nearly = load(cpu=0.65)
    assert Candidate("a", nearly, 20, 0).takes_room(LIMITS)
    assert not Candidate("a", nearly, 22, 3).takes_room(LIMITS)
    assert not Candidate("a", Load(), 0, 0, serving=False).takes_room(LIMITS)
