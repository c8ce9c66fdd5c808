"""Packets that overtake each other: what comes late is told from what is lost."""

from __future__ import annotations

import random

from media.rtp.nack import NEVER, MissingPackets
from tests.support.impairment.clock import VirtualClock
from tests.support.impairment.link import Link
from tests.support.impairment.profile import Loss, Profile

MS = 1_000_000


class Overtaken:
    """A stream of 100 packets a second over a line whose jitter overtakes, repaired after 150 ms."""

    def __init__(self, lost: float) -> None:
        self.clock, self.missing, self.asked = VirtualClock(), MissingPackets(), list[int]()
        self.link = Link(
            self.clock,
            random.Random(5),
            Profile(delay_ms=75, jitter_ms=30, keep_order=False, loss=Loss.independent(lost)),
        )
        self.highest = -1

    def run(self, packets: int) -> list[int]:
        """What was asked for."""
        for number in range(packets):
            self.clock.run_to(number / 100)
            self.link.send(number.to_bytes(4, "big"), self._arrived)
            self._look()
        return self.asked

    def _arrived(self, data: bytes) -> None:
        number, now_ns = int.from_bytes(data, "big"), int(self.clock.time() * 1e9)
        if number > self.highest:
            if number > self.highest + 1:
                self.missing.gap(self.highest + 1, number, now_ns)
            self.highest = number
        else:
            self.missing.received(number, now_ns, NEVER)

    def _look(self) -> None:
        now_ns = int(self.clock.time() * 1e9)
        for number in self.missing.due(now_ns, self.highest, 100 * MS)[0]:
            if number not in self.asked:
                self.clock.call_at(self.clock.time() + 0.15, self._repaired, number)
            self.asked.append(number)

    def _repaired(self, number: int) -> None:
        self.missing.received(number, int(self.clock.time() * 1e9))


def test_packets_that_overtake_each_other_are_neither_asked_for_nor_lost() -> None:
    line = Overtaken(0)
    asked = line.run(2000)
    assert line.link.stats.reordered > 300
    assert len(asked) < 20, "of the first ones, until it is known how late they may be"
    assert line.missing.given_up == 0


def test_what_is_lost_among_overtaken_packets_is_still_asked_for_in_time() -> None:
    line = Overtaken(0.03)
    asked = line.run(2000)
    lost = line.link.stats.lost
    assert 40 < lost <= len(set(asked)) < lost + 20
    assert line.missing.given_up == 0


def test_once_nothing_is_overtaken_any_more_losses_are_asked_for_at_once_again() -> None:
    missing = MissingPackets()
    missing.gap(1, 2, 0)
    assert missing.received(1, 55 * MS, NEVER) == 0
    assert missing.patience_ns == 55 * MS
    waits = []
    for number in range(10, 1000, 10):
        now_ns = number * 100 * MS
        missing.gap(number, number + 1, now_ns)
        waits.append((missing.next_due_ns - now_ns) // MS)
        missing.due(missing.next_due_ns, number + 5, 50 * MS)
        missing.received(number, now_ns + 150 * MS)
    assert waits[0] == 68
    assert waits[40] == 10, waits
