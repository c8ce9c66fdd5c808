"""Whether an estimate that fell tells of a queue: some ICE checks whose answers would have to wait in it.

A browser infers a queue from how evenly packets come in. One that has too little of its processor, or a line
whose jitter changes, looks the same to it, and after a fall it estimates low for long. Checks that come back
as fast as ever tell that nothing waits anywhere. It must not decide what is sent. Time is an argument.
"""

from __future__ import annotations

from media.trial import Pinger

MS = 1_000_000
CHECKS, ENOUGH = 6, 2
"""So many checks, of which so many answers in time are enough: each of the others may be lost, or late for
another reason."""
LATE_NS = 60 * MS
"""Jitter on both ways takes as much; a queue that grows takes more by the time it is asked about."""


class Doubt:
    """One doubt about a line on which a round trip takes `distance_ns` without a queue; 0 where that is not
    known, and nothing can be told. `step` is to be called every 30 ms until it returns a verdict."""

    __slots__ = ("_answered", "_asked", "_asked_ns", "_distance_ns", "_session")

    def __init__(self, session: Pinger, distance_ns: int) -> None:
        self._session, self._distance_ns = session, distance_ns
        self._asked = self._asked_ns = self._answered = 0

    def step(self, now_ns: int) -> bool | None:
        """True: there may well be a queue. False: there is none. None: go on."""
        if not self._distance_ns:
            return True
        if self._answered >= ENOUGH:
            return False
        if self._asked < CHECKS:
            self._asked += 1
            self._asked_ns = now_ns
            self._session.probe(0, self._heard)
        elif now_ns - self._asked_ns > self._distance_ns + LATE_NS:
            return True
        return None

    def _heard(self, sent_ns: int, heard_ns: int) -> None:
        self._answered += heard_ns - sent_ns < self._distance_ns + LATE_NS
