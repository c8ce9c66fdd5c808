"""What a line carries, told from pairs of checks over a queue of our own."""

from __future__ import annotations

import random

from media.capacity import FILL, MOST_BPS, PROBE_BITS, Capacity, Heard
from media.ice.stun import MAX_FILL
from media.trial import Trial

MS = 1_000_000
SHORT_BITS = 8 * 156


class Wire:
    """A first-in-first-out line of so many bit/s before a delay; answers come back at once but for jitter."""

    def __init__(self, bps: int, delay_ms: float = 150, jitter_ms: float = 0, loss: float = 0.0) -> None:
        self.bps, self.delay_ms, self.jitter_ms, self.loss = bps, delay_ms, jitter_ms, loss
        self.free_ns = self.now_ns = 1_000_000 * MS
        self.dice = random.Random(7)
        self.answers: list[tuple[int, int, Heard]] = []

    def ask(self, fill: int, heard: Heard) -> bool:
        bits = PROBE_BITS if fill else SHORT_BITS
        self.free_ns = max(self.free_ns, self.now_ns) + bits * 1_000_000_000 // self.bps
        if self.dice.random() >= self.loss:
            late = self.delay_ms * 2 + self.dice.random() * self.jitter_ms
            self.answers.append((self.free_ns + int(late * MS), self.now_ns, heard))
        return True

    def run(self, capacity: Capacity, seconds: float, every_ms: int = 500) -> None:
        end = self.now_ns + int(seconds * 1e9)
        while self.now_ns < end:
            self.now_ns += 10 * MS
            due = sorted((a for a in self.answers if a[0] <= self.now_ns), key=lambda a: a[0])
            self.answers = [a for a in self.answers if a[0] > self.now_ns]
            for at_ns, sent_ns, heard in due:
                heard(sent_ns, at_ns)
            capacity.probe(self.now_ns, every_ms * MS)


def measured(wire: Wire, seconds: float = 6) -> int:
    capacity = Capacity(wire.ask)
    wire.run(capacity, seconds)
    return capacity.bps(wire.now_ns)


def test_a_line_of_80_kbit_is_measured_whatever_its_delay() -> None:
    for delay_ms in (10, 150, 600):
        assert 70_000 < measured(Wire(80_000, delay_ms)) < 90_000


def test_loss_and_jitter_do_not_make_a_thin_line_good_nor_a_good_one_thin() -> None:
    assert measured(Wire(80_000, jitter_ms=30, loss=0.1)) < 140_000
    assert measured(Wire(2_000_000, jitter_ms=30, loss=0.1)) > 200_000


def test_answers_out_of_one_wake_up_are_a_fast_line() -> None:
    assert measured(Wire(10_000_000_000)) == MOST_BPS


def test_nothing_is_said_before_three_pairs_have_come_back() -> None:
    wire = Wire(80_000)
    capacity = Capacity(wire.ask)
    wire.run(capacity, 1.3)
    assert capacity.bps(wire.now_ns) == 0
    wire.run(capacity, 2)
    assert capacity.bps(wire.now_ns) > 0


def test_old_pairs_say_nothing() -> None:
    wire = Wire(80_000)
    capacity = Capacity(wire.ask)
    wire.run(capacity, 4)
    assert capacity.bps(wire.now_ns + 20_000 * MS) == 0
    assert capacity.newest(3, wire.now_ns + 20_000 * MS) == []


def test_a_pair_without_its_first_answer_is_no_measurement() -> None:
    kept: list[Heard] = []

    def ask(fill: int, heard: Heard) -> bool:
        kept.append(heard)
        return True

    capacity = Capacity(ask)
    for at in range(1, 5):
        capacity.probe(at * 1_000 * MS, 500 * MS)
    for heard in kept[1::2]:
        heard(0, 9_000 * MS)
    assert capacity.newest(5, 9_000 * MS) == []


def test_pairs_that_never_come_back_are_counted() -> None:
    capacity = Capacity(lambda fill, heard: True)
    for at in range(1, 5):
        capacity.probe(at * 1_000 * MS, 500 * MS)
    assert capacity.unanswered(5_500 * MS) == 2
    assert FILL <= MAX_FILL


def test_a_pair_whose_first_answer_waited_on_its_way_back_measures_nothing() -> None:
    kept: list[Heard] = []

    def ask(fill: int, heard: Heard) -> bool:
        kept.append(heard)
        return True

    capacity = Capacity(ask)
    capacity.probe(1_000 * MS, 500 * MS)
    kept[0](0, 1_300 * MS)
    kept[1](0, 1_392 * MS)
    for at in range(2, 6):
        capacity.probe(at * 1_000 * MS, 500 * MS)
        kept[-2](0, (at * 1_000 + 500) * MS)
        kept[-1](0, (at * 1_000 + 514) * MS)
    assert len(capacity.newest(5, 5_600 * MS)) == 1


class Lucky(Wire):
    """Some of its pairs come out of one wake-up of the reader, as if the line were fast."""

    def __init__(self, bps: int, lucky: int) -> None:
        super().__init__(bps)
        self.lucky = lucky

    def probe(self, fill: int, heard: Heard) -> bool:
        sent = self.ask(fill, heard)
        if fill and self.lucky:
            self.lucky -= 1
            self.answers[-1] = (self.answers[-2][0] + MS // 10, *self.answers[-1][1:])
        return sent


def padded(wire: Lucky) -> int:
    """Bytes of padding of a trial of twice what the line carries, until its verdict."""
    sent: list[int] = []

    def pad(size: int, at_ns: int) -> int:
        sent.append(size)
        return size

    trial = Trial(wire, pad, wire.bps, 2 * wire.bps, 0, wire.now_ns)
    verdict = None
    while verdict is None:
        wire.now_ns += 30 * MS
        due = sorted((a for a in wire.answers if a[0] <= wire.now_ns), key=lambda a: a[0])
        wire.answers = [a for a in wire.answers if a[0] > wire.now_ns]
        for at_ns, sent_ns, heard in due:
            heard(sent_ns, at_ns)
        verdict = trial.step(wire.now_ns)
    return sum(sent)


def test_one_pair_that_flatters_a_thin_line_costs_its_voices_no_padding_and_two_do() -> None:
    assert padded(Lucky(400_000, lucky=1)) == 0
    assert padded(Lucky(400_000, lucky=2)) > 0
