"""A trial of whether a line carries more: padding beside what is sent, while ICE checks watch the queue.

A browser's estimate cannot tell, since it never rises far above what it receives. The padding grows from
nothing, so that a line which is full shows it by answers that come later and later before a voice has waited
long; the trial ends there and then. It must not decide what is sent afterwards. Time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import log2
from statistics import median
from typing import Protocol

from media.capacity import Capacity

MS = 1_000_000
STEP_NS = 30 * MS
PING_NS = 60 * MS
LISTEN_NS = 500 * MS
PAIR_NS = 90 * MS
PAIRS, CONFIRMED = 5, 2
"""Before the padding: how long answers take on the line as it is, and what pairs of checks say that it
carries (`media/capacity.py`). Where not even the best two say enough, which is so on most thin lines, that
is all: each padding that a line does not carry costs its voices a tenth of a second."""
CHANGED, BLIND = 1.25, 2.0
"""Where padding has just been too much although pairs said enough, they are to say this much more than then;
unless they said far more than was tried: they tell nothing of such a line, as behind a token bucket."""
SILENT_NS = 1_500 * MS
BEGIN_BPS = 40_000
DOUBLES_NS = 400 * MS
HOLD_NS = 600 * MS
"""The padding begins small and doubles, so that it is too much by half at most when that shows; the whole of
it stays for the last of these."""
LATE_NS = 40 * MS
"""Answers that come later than before by this mean a queue. The least of the last RECENT counts, so that one
late packet on a Wi-Fi means nothing."""
RECENT = 3
ANSWERED = 0.6
"""A line that throws away what is too much has no queue, but answers go missing."""
SETTLE_NS = 150 * MS


class Pinger(Protocol):
    """What is asked of a session (`media.ports.SessionPort`)."""

    def probe(self, fill: int, heard: Callable[[int, int], None]) -> bool: ...


class Trial:
    """One trial of `extra_bps` more than is sent, which makes `total_bps` with the voices; `refuted_bps` by
    `Downlink`. `step` is to be called every STEP_NS until it returns a verdict."""

    def __init__(
        self,
        session: Pinger,
        pad: Callable[[int, int], int],
        extra_bps: int,
        total_bps: int,
        refuted_bps: int,
        now_ns: int,
    ) -> None:
        self._session, self._pad = session, pad
        self._enough_bps = 0.0 if refuted_bps >= BLIND * total_bps else CHANGED * refuted_bps
        self._extra_bps, self._total_bps = extra_bps, total_bps
        self._capacity = Capacity(self._listen)
        self._started_ns = now_ns
        self._stepped_ns = now_ns
        self._pinged_ns = 0
        self._ramp_ns = 0
        self._full_ns = int(DOUBLES_NS * log2(max(1.0, extra_bps / BEGIN_BPS))) + HOLD_NS
        self._before: list[int] = []
        self._recent: deque[int] = deque(maxlen=RECENT)
        self._asked = self._answered = 0
        self.carries_bps = 0
        """What the pairs say of the whole line, voices and all; 0 = not known."""
        self._full = False
        self._owed = 0.0

    @property
    def padded(self) -> bool:
        """Whether more was sent than checks."""
        return self._ramp_ns > 0

    def step(self, now_ns: int) -> bool | None:
        """True: it carried it. False: it did not, or nobody answers. None: go on."""
        if self._full:
            return False
        if not self._ramp_ns:
            return self._look_first(now_ns)
        if now_ns - self._ramp_ns > self._full_ns:
            if now_ns - self._ramp_ns < self._full_ns + min(self._before) + SETTLE_NS:
                return None
            return self._answered >= ANSWERED * self._asked
        self._send(now_ns)
        if now_ns - self._pinged_ns >= PING_NS:
            self._pinged_ns = now_ns
            self._asked += self._session.probe(0, self._heard)
        return None

    def _look_first(self, now_ns: int) -> bool | None:
        since_ns = now_ns - self._started_ns
        pairs = self._capacity.newest(PAIRS, now_ns)
        if since_ns < LISTEN_NS or len(pairs) < RECENT:  # of a lossy line's pairs every third is lost
            self._capacity.probe(now_ns, PAIR_NS)
        if since_ns < LISTEN_NS:
            return None
        if len(pairs) < RECENT:
            return False if since_ns > SILENT_NS else None
        self.carries_bps = int(median(pairs))
        if sorted(pairs)[-CONFIRMED] < self._total_bps or self.carries_bps < self._enough_bps:
            return False
        self._ramp_ns = self._stepped_ns = now_ns
        return None

    def _listen(self, fill: int, heard: Callable[[int, int], None]) -> bool:
        def both(sent_ns: int, heard_ns: int) -> None:
            if not fill:
                self._before.append(heard_ns - sent_ns)
            heard(sent_ns, heard_ns)

        return self._session.probe(fill, both)

    def _send(self, now_ns: int) -> None:
        rate = min(self._extra_bps, BEGIN_BPS * 2 ** ((now_ns - self._ramp_ns) / DOUBLES_NS))
        self._owed += rate * (now_ns - self._stepped_ns) / 8e9
        self._stepped_ns = now_ns
        while self._owed >= 1:
            sent = self._pad(int(self._owed), now_ns)
            if not sent:
                return
            self._owed -= sent

    def _heard(self, sent_ns: int, heard_ns: int) -> None:
        self._answered += 1
        self._recent.append(heard_ns - sent_ns)
        if len(self._recent) == RECENT and min(self._recent) > min(self._before) + LATE_NS:
            self._full = True
