"""An estimate that falls without a queue behind it takes nothing away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from media.doubt import CHECKS, Doubt
from tests.support.outbox import MS
from tests.support.thin_line import ThinLine
from tests.unit.test_lines import Playing

Heard = Callable[[int, int], None]


class Checks:
    """Answers the n-th check after so many ms; None = never."""

    def __init__(self, *took_ms: float | None) -> None:
        self.took_ms = took_ms
        self.now_ns = MS
        self.asked = 0
        self.answers: list[tuple[int, int, Heard]] = []

    def probe(self, fill: int, heard: Heard) -> bool:
        took_ms = self.took_ms[self.asked % len(self.took_ms)]
        self.asked += 1
        if took_ms is not None:
            self.answers.append((self.now_ns + int(took_ms * MS), self.now_ns, heard))
        return True

    def verdict(self, distance_ms: int) -> tuple[bool, float]:
        """And after how many ms."""
        doubt, began_ns = Doubt(self, distance_ms * MS), self.now_ns
        while (verdict := doubt.step(self.now_ns)) is None:
            self.now_ns += 30 * MS
            for at_ns, sent_ns, heard in [one for one in self.answers if one[0] <= self.now_ns]:
                heard(sent_ns, at_ns)
            self.answers = [one for one in self.answers if one[0] > self.now_ns]
        assert self.asked <= CHECKS
        return verdict, (self.now_ns - began_ns) / MS


@pytest.mark.parametrize(
    ("took_ms", "queue"),
    [
        ((151, 152), False),
        ((None, 450, 190, None, 600, 205), False),  # lossy, and a page that had to wait for its processor
        ((230, 260, 290, 320, 350, 380), True),
        ((None,), True),
        ((None, None, None, None, None, 151), True),
    ],
)
def test_answers_as_fast_as_ever_tell_that_nothing_waits(
    took_ms: tuple[float | None, ...], queue: bool
) -> None:
    found, after_ms = Checks(*took_ms).verdict(150)
    assert found is queue
    assert after_ms <= 420


def test_where_the_distance_is_not_known_an_estimate_is_believed() -> None:
    assert Checks(1).verdict(0) == (True, 0)


class Seen(Playing):
    """A wide line whose browser may still say that it is not."""

    def __init__(self) -> None:
        super().__init__()
        ThinLine.clock = self.stage.time
        line = self.stage.join_subscriber("s", outbox=ThinLine)
        assert isinstance(line, ThinLine)
        line.round_trip_ns = 80 * MS
        self.line = line
        self.stage.subscribers.append(line)

    def run(self, seconds: float, keys: int = 15) -> None:
        for _ in range(int(seconds * 10)):
            super().run(0.1, keys)
            self.line.answer()


@pytest.mark.parametrize(("delay_ms", "modes"), [(40, {"full"}), (90, {"full", "thin"})])
def test_an_estimate_that_falls_takes_a_picture_away_only_if_checks_come_back_late(
    delay_ms: float, modes: set[str]
) -> None:
    seen = Seen()
    seen.run(2)
    seen.remb(1_440_000)
    seen.run(1)
    seen.line.delay_ms = delay_ms
    for bps in (676_000, 680_000, 684_000, 560_000, 563_000):  # a Firefox of a busy machine
        seen.remb(bps)
        seen.run(2)
    assert {event["peers"]["s"]["mode"] for event in seen.told} == modes


def test_what_came_in_until_now_is_no_trouble_as_a_first_estimate() -> None:
    seen = Seen()
    seen.run(6)
    seen.line.rate_bps = 1e4  # nobody answers in time
    seen.remb(250_000)
    seen.run(2)
    assert seen.told.last("s")["mode"] == "full"


def test_nothing_is_tried_while_checks_are_to_tell_whether_there_is_a_queue() -> None:
    seen = Seen()
    seen.run(2)
    seen.remb(1_440_000)
    seen.run(1)
    seen.line.delay_ms = 90
    seen.remb(400_000)
    seen.run(2)
    assert seen.told.last("s")["mode"] == "thin", "a trial is to come"
    seen.line.delay_ms = 40
    receiver = seen.lines._receivers["s"]
    receiver.trial, receiver.doubt = None, Doubt(Checks(None), 60_000 * MS)
    seen.run(10)
    assert receiver.trial is None, "its packets would make the checks late"
    receiver.doubt = None
    seen.run(1.5)
    assert receiver.trial is not None
