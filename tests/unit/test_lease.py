"""Lease and pace of a running response, on an injected clock."""

from __future__ import annotations

import pytest

from server.playback.lease import Asked, Lease, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Right:
    def __init__(self) -> None:
        self.asked = 0
        self.holds = True

    async def ask(self) -> None:
        self.asked += 1
        if not self.holds:
            raise PermissionError


async def test_a_lease_asks_again_after_its_bytes() -> None:
    right = Right()
    lease = Lease(right.ask, Clock(), seconds=2, size=1000)
    for _ in range(10):
        await lease.hold(250)
    assert right.asked == 2
    right.holds = False
    await lease.hold(250)
    await lease.hold(250)
    with pytest.raises(PermissionError):
        await lease.hold(250)


async def test_a_lease_asks_again_after_its_time() -> None:
    right, clock = Right(), Clock()
    lease = Lease(right.ask, clock, seconds=2, size=1000)
    clock.now += 1.9
    await lease.hold(1)
    assert right.asked == 0
    clock.now += 0.2
    await lease.hold(1)
    assert right.asked == 1


async def test_a_single_chunk_larger_than_the_lease_is_asked_for_each_time() -> None:
    right = Right()
    lease = Lease(right.ask, Clock(), seconds=2, size=1000)
    for _ in range(3):
        await lease.hold(5000)
    assert right.asked == 3


async def test_a_good_answer_holds_a_tenth_of_a_second_for_its_own_key_only() -> None:
    right, clock = Right(), Clock()
    asked = Asked(clock)
    for _ in range(5):
        await asked.of(("a", "recording"), right.ask)
    assert right.asked == 1
    await asked.of(("b", "recording"), right.ask)
    assert right.asked == 2
    clock.now += 0.11
    right.holds = False
    for _ in range(2):
        with pytest.raises(PermissionError):
            await asked.of(("a", "recording"), right.ask)
    assert right.asked == 4, "a refusal is never remembered as a good answer"


def run(pace: Pace, clock: Clock, seconds: float, chunk: int = 65536) -> int:
    """Bytes sent in so many seconds by a sender that waits as it is told."""
    end, sent = clock.now + seconds, 0
    while clock.now < end:
        clock.now += pace.wait_s(chunk)
        sent += chunk
        clock.now += 1e-6
    return sent


def test_after_a_burst_a_response_runs_at_its_rate() -> None:
    clock = Clock()
    pace = Pace(0, clock)
    sent = run(pace, clock, 2.0)
    assert Pace.BURST + 1.8 * Pace.RATE < sent < Pace.BURST + 2.2 * Pace.RATE


def test_a_steady_reader_of_a_long_track_is_soon_served_fast() -> None:
    clock = Clock()
    assert run(Pace(0, clock), clock, 30.0) > 90 * 1024 * 1024


def test_a_reader_that_makes_us_wait_falls_back() -> None:
    clock = Clock()
    pace = Pace(0, clock)
    run(pace, clock, 20.0)
    pace.waited_for_reader(0.5)
    assert run(pace, clock, 4.0) < Pace.BURST + 1.5 * Pace.RATE


def test_a_heavy_track_gets_the_rate_it_needs() -> None:
    clock = Clock()
    assert run(Pace(4 * Pace.RATE, clock), clock, 2.0) > 7 * Pace.RATE


def test_a_full_player_at_twice_the_speed_is_never_starved() -> None:
    """720p at 1.2 Mbit/s: the player stops reading when its buffer is full, seeks, and reads on."""
    clock, playing = Clock(), 150_000
    for chunk in (65536, 16384):
        pace = Pace(4 * playing, clock)
        for _ in range(5):
            pace.waited_for_reader(10)
            clock.now += 10
            assert run(pace, clock, 5.0, chunk) >= 2 * playing * 5
