"""How much the way to a peer carries, by pairs of ICE checks: a short one and, right behind it, a long one.

What the line needs for the long one is the time between the two answers, whatever queue both have waited in
and however far away the peer is. It asks only while somebody wants to know, and touches no media. Time is an
argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median

FILL = 508
PROBE_BITS = 8 * (FILL + 4 + 128 + 28)
"""The long check on the wire: SOFTWARE's head, a binding request of ICE, IP and UDP."""
MOST_BPS = 20_000_000
"""Faster than this a pair cannot tell: both answers come out of one wake-up."""
SAMPLES = 5
OLD_NS = 12_000_000_000
LOST_NS = 3_000_000_000

LATE_NS = 40_000_000

Heard = Callable[[int, int], None]
Ask = Callable[[int, Heard], bool]
"""Send one check so many bytes longer; the callback gets when it was sent and answered (ns)."""


class _Pair:
    __slots__ = ("first_ns", "sent_ns", "take")

    def __init__(self, sent_ns: int, take: Callable[[_Pair, int], None]) -> None:
        self.sent_ns, self.take = sent_ns, take
        self.first_ns = 0

    def first(self, sent_ns: int, heard_ns: int) -> None:
        self.first_ns = heard_ns

    def second(self, sent_ns: int, heard_ns: int) -> None:
        self.take(self, heard_ns)


class Capacity:
    """The last few pairs of one connection. `ask` sends a check to where its media goes."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._samples: deque[tuple[int, int]] = deque(maxlen=SAMPLES)
        self._pairs: deque[_Pair] = deque(maxlen=8)
        self._sent_ns = 0
        self._least_ns = 0
        """The least that a first answer has taken."""

    def probe(self, now_ns: int, every_ns: int) -> None:
        """Sends a pair if the last one is so old."""
        if now_ns - self._sent_ns < every_ns:
            return
        self._sent_ns = now_ns
        pair = _Pair(now_ns, self._heard)
        if self._ask(0, pair.first) and self._ask(FILL, pair.second):
            self._pairs.append(pair)

    def forget(self) -> None:
        """What is under way says nothing."""
        self._pairs.clear()

    def bps(self, now_ns: int) -> int:
        """What the line carries: the median of the last pairs, 0 while there are less than three."""
        fresh = [bps for at_ns, bps in self._samples if now_ns - at_ns < OLD_NS]
        return int(median(fresh)) if len(fresh) >= 3 else 0

    def newest(self, count: int, now_ns: int) -> list[int]:
        """The last `count` pairs that are not old, newest last; fewer when there are not so many."""
        return [bps for at_ns, bps in self._samples if now_ns - at_ns < OLD_NS][-count:]

    def unanswered(self, now_ns: int) -> int:
        """How many pairs have been waiting for so long that they are lost."""
        return sum(now_ns - pair.sent_ns > LOST_NS for pair in self._pairs)

    def _heard(self, pair: _Pair, at_ns: int) -> None:
        if pair not in self._pairs:
            return
        self._pairs.remove(pair)
        if not pair.first_ns:
            return  # its first answer was lost or overtaken
        gap_ns = at_ns - pair.first_ns
        took_ns = pair.first_ns - pair.sent_ns
        self._least_ns = min(self._least_ns or took_ns, took_ns)
        if took_ns - self._least_ns > max(gap_ns, LATE_NS):
            return  # the first answer waited on its way back and the second caught up: no measure of the line
        bps = MOST_BPS if gap_ns <= 0 else min(MOST_BPS, PROBE_BITS * 1_000_000_000 // gap_ns)
        self._samples.append((at_ns, bps))
