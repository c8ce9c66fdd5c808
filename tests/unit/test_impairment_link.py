"""One direction of the bad line, on a clock of its own: all figures follow from profile and seed."""

from __future__ import annotations

import itertools
import random
import statistics
from dataclasses import replace

import pytest

from tests.support.impairment.clock import VirtualClock
from tests.support.impairment.link import Link, Stream
from tests.support.impairment.profile import CLEAN, Loss, Profile

MEDIA, STUN = b"\x80", b"\x00"


class Pipe:
    """A link with its clock; `arrivals` are (time, number, sent at)."""

    def __init__(self, profile: Profile, seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.link = Link(self.clock, random.Random(seed), profile)
        self.arrivals: list[tuple[float, int, float]] = []
        self.stats = self.link.stats

    def put(self, number: int, size: int = 1000, first: bytes = MEDIA, stream: Stream | None = None) -> None:
        sent = self.clock.time()
        data = first + number.to_bytes(4, "big") + bytes(size - 5)

        def arrive(out: bytes) -> None:
            assert out == data
            self.arrivals.append((self.clock.time(), number, sent))

        self.link.send(data, arrive, stream)

    def stream(self, count: int, every: float = 0.02, size: int = 1000) -> Pipe:
        start = self.clock.time()
        for number in range(count):
            self.clock.run_to(start + number * every)
            self.put(number, size)
        self.clock.run_to(start + count * every + 60)
        return self

    @property
    def numbers(self) -> list[int]:
        return [number for _, number, _ in self.arrivals]

    @property
    def delays(self) -> list[float]:
        return [at - sent for at, _, sent in self.arrivals]


def test_the_rate_counts_what_a_packet_needs_besides_its_data() -> None:
    pipe = Pipe(Profile(rate_bps=80_000, header_bytes=28)).stream(1, size=972)
    assert pipe.delays == [0.1]
    assert pipe.stats.bytes_out == 972


def test_a_clean_line_changes_nothing() -> None:
    pipe = Pipe(CLEAN).stream(100)
    assert pipe.numbers == list(range(100))
    assert set(pipe.delays) == {0.0}
    stats = pipe.stats
    assert (stats.entered, stats.left, stats.bytes_in, stats.bytes_out) == (100, 100, 100_000, 100_000)
    assert stats.lost == stats.duplicated == stats.reordered == stats.queue_drops == stats.dark == 0


@pytest.mark.parametrize("share", [0.01, 0.03, 0.05, 0.1])
def test_independent_loss_keeps_its_share(share: float) -> None:
    pipe = Pipe(Profile(loss=Loss.independent(share))).stream(50_000, every=0.001)
    assert pipe.stats.lost / 50_000 == pytest.approx(share, abs=4 * (share / 50_000) ** 0.5)
    assert mean_run(pipe.numbers) < 1.15


@pytest.mark.parametrize(("share", "mean"), [(0.01, 2), (0.03, 3), (0.05, 5), (0.1, 8)])
def test_bursts_keep_their_share_and_their_mean_length(share: float, mean: float) -> None:
    loss = Loss.bursts(share, mean)
    assert loss.share == pytest.approx(share)
    pipe = Pipe(Profile(loss=loss)).stream(100_000, every=0.001)
    assert pipe.stats.lost / 100_000 == pytest.approx(share, rel=0.12)
    assert mean_run(pipe.numbers) == pytest.approx(mean, rel=0.1)


def mean_run(numbers: list[int]) -> float:
    """Mean length of the holes between numbers that arrived."""
    runs = [b - a - 1 for a, b in itertools.pairwise(numbers) if b - a > 1]
    return statistics.fmean(runs)


def test_a_bad_state_may_lose_only_a_part_and_a_good_one_may_lose_too() -> None:
    loss = Loss(good=0.01, bad=0.5, enter=0.02, leave=0.2)
    assert loss.share == pytest.approx(0.01 * 10 / 11 + 0.5 / 11)
    pipe = Pipe(Profile(loss=loss)).stream(100_000, every=0.001)
    assert pipe.stats.lost / 100_000 == pytest.approx(loss.share, rel=0.1)


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    bad = Profile(
        delay_ms=50, jitter_ms=30, loss=Loss.bursts(0.05, 4), duplicate=0.02, reorder=0.02, keep_order=False
    )
    first, again, other = (Pipe(bad, seed).stream(2000) for seed in (7, 7, 8))
    assert first.arrivals == again.arrivals
    assert first.stats == again.stats
    assert first.arrivals != other.arrivals


def test_what_else_the_profile_does_never_changes_which_packets_are_lost() -> None:
    plain = Profile(loss=Loss.bursts(0.05, 3))
    rich = replace(plain, delay_ms=80, jitter_ms=20, duplicate=0.1)
    assert sorted(set(Pipe(plain).stream(3000).numbers)) == sorted(set(Pipe(rich).stream(3000).numbers))


def test_without_jitter_every_delay_is_the_same_and_the_order_kept() -> None:
    pipe = Pipe(Profile(delay_ms=75, loss=Loss.independent(0.05))).stream(5000, every=0.001)
    assert pipe.numbers == sorted(pipe.numbers)
    assert all(delay == pytest.approx(0.075) for delay in pipe.delays)
    assert pipe.stats.reordered == 0


def test_packets_of_one_instant_keep_their_order() -> None:
    pipe = Pipe(Profile(delay_ms=10))
    for number in range(50):
        pipe.put(number)
    pipe.clock.run_to(1)
    assert pipe.numbers == list(range(50))


def test_jitter_spreads_evenly_around_the_delay() -> None:
    pipe = Pipe(Profile(delay_ms=75, jitter_ms=30, keep_order=False)).stream(20_000, every=0.1)
    delays = sorted(pipe.delays)
    assert 0.045 <= delays[0] < 0.046
    assert 0.104 < delays[-1] <= 0.105 + 1e-9
    assert statistics.fmean(delays) == pytest.approx(0.075, abs=0.0005)
    assert statistics.pstdev(delays) == pytest.approx(0.030 / 3**0.5, rel=0.02)
    for part in range(1, 10):
        assert delays[part * 2000] == pytest.approx(0.045 + 0.006 * part, abs=0.001)


def test_jitter_never_makes_a_delay_negative() -> None:
    pipe = Pipe(Profile(delay_ms=5, jitter_ms=30, keep_order=False)).stream(1000)
    assert min(pipe.delays) == 0.0


def test_jitter_reorders_only_where_the_order_is_not_kept() -> None:
    jittery = Profile(delay_ms=75, jitter_ms=30)
    kept = Pipe(jittery).stream(2000, every=0.003)
    assert kept.numbers == list(range(2000))
    assert kept.stats.reordered == 0
    assert max(kept.delays) <= 0.105 + 1e-9
    loose = Pipe(replace(jittery, keep_order=False)).stream(2000, every=0.003)
    assert loose.numbers != list(range(2000))
    assert sorted(loose.numbers) == list(range(2000))
    assert loose.stats.reordered == overtaken(loose.numbers) > 500


def overtaken(numbers: list[int]) -> int:
    """How many came after a later one."""
    newest, count = -1, 0
    for number in numbers:
        count += number < newest
        newest = max(newest, number)
    return count


def test_reordering_holds_back_its_share_and_nothing_else() -> None:
    pipe = Pipe(Profile(delay_ms=50, reorder=0.02, reorder_by_ms=25)).stream(10_000, every=0.005)
    late = [delay for delay in pipe.delays if delay > 0.06]
    assert len(late) == pytest.approx(200, rel=0.25)
    assert all(delay == pytest.approx(0.075) for delay in late)
    assert pipe.stats.reordered == overtaken(pipe.numbers) == len(late)


def test_duplicates_are_copies_that_come_as_well() -> None:
    pipe = Pipe(Profile(delay_ms=20, duplicate=0.05)).stream(10_000)
    assert sorted(set(pipe.numbers)) == list(range(10_000))
    assert pipe.stats.duplicated == len(pipe.numbers) - 10_000 == pytest.approx(500, rel=0.15)


def test_the_rate_is_exact() -> None:
    pipe = Pipe(Profile(rate_bps=800_000, queue_bytes=10_000_000))
    for number in range(1000):
        pipe.put(number)
    pipe.clock.run_to(100)
    for index, (at, number, _) in enumerate(pipe.arrivals):
        assert number == index
        assert at == pytest.approx((index + 1) * 0.01)


def test_a_rate_that_is_not_reached_delays_by_the_packet_itself_only() -> None:
    pipe = Pipe(Profile(rate_bps=800_000)).stream(100, every=0.02)
    assert all(delay == pytest.approx(0.01) for delay in pipe.delays)


def test_what_finds_the_queue_full_is_dropped() -> None:
    pipe = Pipe(Profile(rate_bps=80_000, queue_bytes=5_000)).stream(200, every=0.05)
    assert pipe.stats.queue_drops == 200 - len(pipe.arrivals)
    assert len(pipe.arrivals) == pytest.approx(105, abs=1)  # 10 s at a packet per 0.1 s, and five that waited
    assert max(pipe.delays) <= 0.5 + 1e-9
    assert pipe.stats.queued_bytes == 0


def test_a_change_of_rate_holds_for_what_waits_already() -> None:
    pipe = Pipe(Profile(rate_bps=80_000))
    for number in range(10):
        pipe.put(number)
    pipe.clock.run_to(0.25)
    assert pipe.numbers == [0, 1]
    pipe.link.change(Profile(rate_bps=800_000))
    pipe.clock.run_to(0.2501 + 0.005)
    assert pipe.numbers == [0, 1, 2]
    pipe.link.change(CLEAN)
    pipe.put(10)
    pipe.link.change(Profile(rate_bps=8_000_000))
    pipe.clock.run_to(1)
    assert pipe.numbers == list(range(11))


def test_a_shorter_delay_does_not_let_the_later_overtake_the_earlier() -> None:
    pipe = Pipe(Profile(delay_ms=300))
    pipe.put(0)
    pipe.link.change(Profile(delay_ms=10))
    pipe.put(1)
    pipe.clock.run_to(1)
    assert [(round(at, 3), number) for at, number, _ in pipe.arrivals] == [(0.3, 0), (0.3, 1)]


def test_in_a_blackout_datagrams_are_lost_and_those_on_their_way_arrive() -> None:
    pipe = Pipe(Profile(delay_ms=100))
    pipe.put(0)
    pipe.clock.run_to(0.05)
    pipe.link.black_out(True)
    pipe.put(1)
    pipe.clock.run_to(20)
    pipe.link.black_out(False)
    pipe.put(2)
    pipe.clock.run_to(30)
    assert pipe.numbers == [0, 2]
    assert (pipe.stats.dark, pipe.stats.lost) == (1, 0)


def test_stun_is_spared_only_where_the_profile_says_so() -> None:
    everything = Profile(loss=Loss(bad=1, enter=1, leave=1e-9))
    for profile, first, arrives in (
        (everything, STUN, False),
        (replace(everything, media_only=True), STUN, True),
        (replace(everything, media_only=True), MEDIA, False),
    ):
        pipe = Pipe(profile)
        pipe.put(0, first=first)
        pipe.clock.run_to(1)
        assert bool(pipe.arrivals) is arrives


def test_a_tcp_stream_loses_nothing_keeps_its_order_and_stalls() -> None:
    pipe = Pipe(Profile(delay_ms=50, jitter_ms=20, loss=Loss.bursts(0.05, 2), duplicate=0.2, reorder=0.2))
    stream = Stream()
    for number in range(2000):
        pipe.clock.run_to(number * 0.02)
        pipe.put(number, stream=stream)
    pipe.clock.run_to(100)
    assert pipe.numbers == list(range(2000))
    assert pipe.stats.repeated > 50
    assert pipe.stats.lost == pipe.stats.duplicated == pipe.stats.reordered == 0
    assert 0.2 < max(pipe.delays) < 0.5


def test_a_tcp_stream_goes_on_after_a_blackout_where_it_stopped() -> None:
    pipe, stream = Pipe(Profile(delay_ms=10)), Stream()
    pipe.link.black_out(True)
    for number in range(5):
        pipe.put(number, stream=stream)
    pipe.clock.run_to(20)
    assert not pipe.arrivals
    pipe.link.black_out(False)
    pipe.clock.run_to(21)
    assert pipe.numbers == list(range(5))
    assert (pipe.stats.entered, pipe.stats.left, pipe.stats.dark) == (5, 5, 0)


def test_every_packet_is_accounted_for() -> None:
    profile = Profile(
        delay_ms=75, jitter_ms=20, loss=Loss.bursts(0.05, 3), duplicate=0.05, reorder=0.05, rate_bps=300_000,
        queue_bytes=8_000,
    )  # fmt: skip
    pipe = Pipe(profile)
    for number in range(5000):
        pipe.clock.run_to(number * 0.02)
        if number == 2000:
            pipe.link.black_out(True)
        if number == 2100:
            pipe.link.black_out(False)
        pipe.put(number)
    pipe.clock.run_to(200)
    s = pipe.stats
    assert s.dark == 100
    assert min(s.lost, s.queue_drops, s.duplicated) > 0
    assert s.entered + s.duplicated == s.left + s.lost + s.dark + s.queue_drops
    assert s.left == len(pipe.arrivals)


def test_a_closed_link_delivers_nothing_more() -> None:
    pipe = Pipe(Profile(delay_ms=10, rate_bps=80_000))
    pipe.put(0)
    pipe.put(1)
    pipe.clock.run_to(0.105)
    pipe.link.close()
    pipe.clock.run_to(10)
    assert not pipe.arrivals


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Loss(good=1.5), lambda: Loss(enter=0.1, leave=0), lambda: Loss.bursts(0.1, 0.5),
        lambda: Loss.bursts(1, 3), lambda: Profile(delay_ms=-1), lambda: Profile(duplicate=2),
        lambda: Profile(rate_bps=0),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_is_refused(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"between|never|one packet|negative|without"):
        wrong()
