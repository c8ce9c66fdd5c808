"""Which packets of a received stream are missing, and when to ask for them again (MEDIA.md, Loss).

No timer and no clock of its own: `due` is called with the time, and `next_due_ns` says when it is worth
calling.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_WAIT_NS = 10_000_000
FIRST_PACKETS = 2
FIRST_LATEST_NS = 50_000_000
"""A gap at the end of a burst is asked for after this long even when no second packet follows."""
LEAST_RTT_NS = 20_000_000
FAR_NS, ECHO_NS = 120_000_000, 30_000_000
"""Over so long a way each request goes twice, so much apart: one that is lost costs a round trip, which is
seen. Senders answer the first alone (browsers repeat nothing within a round trip)."""
FAR_SPARE_NS = 10_000_000
"""And an answer that is so much later than a round trip is lost: from then on it is asked for every ECHO_NS.
The sender repeats it once its own round trip is over, which it may take for longer than it is: to ask once a
round trip would miss that moment, and with it the time that pictures wait for repairs."""
MOST_PATIENCE_NS = 60_000_000
"""The longest that overtaken packets are waited for before they are asked for."""
FORGETS, REMEMBERS = 16, 64
"""Each packet that was lost takes one of so many parts of that patience, each that was overtaken one of
REMEMBERS."""
MAX_TRIES = 6
MAX_AGE_NS = 1_000_000_000
MAX_MISSING = 256
NEVER = 1 << 62


@dataclass(slots=True)
class _Missing:
    since_ns: int
    due_ns: int
    asked_ns: int = 0
    """When it was asked for first."""
    tries: int = 0

    def ask(self, now_ns: int, again_ns: int, far: bool) -> None:
        if self.tries == 0:
            self.asked_ns = now_ns
        if far:
            since_ns = now_ns - self.asked_ns
            self.tries = max(self.tries, 1 + since_ns // again_ns)
            twin = self.tries == 1 and since_ns > 0
            self.due_ns = self.asked_ns + again_ns if twin else now_ns + ECHO_NS
        else:
            self.tries += 1
            self.due_ns = now_ns + again_ns


class MissingPackets:
    """The missing numbers of one stream. `max_tries` is 2 for audio: later a packet is of no use to the
    ear."""

    __slots__ = ("_max_tries", "_missing", "given_up", "next_due_ns", "patience_ns", "requested", "told")

    def __init__(self, max_tries: int = MAX_TRIES) -> None:
        self._max_tries = max_tries
        self._missing: dict[int, _Missing] = {}
        self.next_due_ns = NEVER
        self.requested = 0
        self.given_up = 0
        self.patience_ns = 0
        """How much later than those that overtook it a packet comes of late: so long it is not missing."""
        self.told = 0  # of those given up, how many have been counted by whoever counts

    def __len__(self) -> int:
        return len(self._missing)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._missing

    def gap(self, first: int, after: int, now_ns: int) -> bool:
        """Numbers first..after-1 did not come before `after` did. Returns True when too many are missing:
        then the list is emptied, and only a key frame helps."""
        if after - first + len(self._missing) > MAX_MISSING:
            self.given_up += after - first + len(self._missing)
            self.clear()
            return True
        due = now_ns + max(FIRST_WAIT_NS, self.patience_ns * 5 // 4)
        for sequence in range(first, after):
            self._missing[sequence] = _Missing(now_ns, due)
        self.next_due_ns = min(self.next_due_ns, due)
        return False

    def received(self, sequence: int, now_ns: int, answers_ns: int = 0) -> int:
        """A missing packet came. Returns -1 when it was not missing, 0 when it came unasked (overtaken),
        else the nanoseconds since it was first asked for (an upper bound of the round trip). `answers_ns`: no
        answer comes sooner than that, so what does was only overtaken; 0 for what is an answer."""
        missing = self._missing.pop(sequence, None)
        if not self._missing:
            self.next_due_ns = NEVER
        if missing is None:
            return -1
        overtaken = answers_ns > 0 and (missing.tries == 0 or now_ns - missing.asked_ns < answers_ns)
        late_ns = now_ns - missing.since_ns if overtaken else 0
        faded_ns = self.patience_ns - self.patience_ns // (REMEMBERS if overtaken else FORGETS)
        self.patience_ns = min(MOST_PATIENCE_NS, max(late_ns, faded_ns))
        if missing.tries == 0 or overtaken:
            return 0
        return max(1, now_ns - missing.asked_ns) if missing.tries == 1 else 0

    def due(self, now_ns: int, highest: int, rtt_ns: int) -> tuple[list[int], int]:
        """(numbers to ask for now, how many were given up now). A given-up packet is asked for no more."""
        if now_ns < self.next_due_ns:
            return [], 0
        far = rtt_ns >= FAR_NS
        again_ns = rtt_ns + FAR_SPARE_NS if far else max(rtt_ns, LEAST_RTT_NS) * 5 // 4
        ask: list[int] = []
        lost: list[int] = []
        next_due = NEVER
        for sequence, missing in self._missing.items():
            if missing.tries and now_ns - missing.asked_ns >= MAX_AGE_NS:
                lost.append(sequence)
                continue
            if missing.due_ns <= now_ns:
                if missing.tries >= self._max_tries and (not far or self._waited(missing, now_ns, again_ns)):
                    lost.append(sequence)
                    continue
                if self._too_early(missing, sequence, highest, now_ns):
                    missing.due_ns = min(now_ns + FIRST_WAIT_NS, missing.since_ns + FIRST_LATEST_NS)
                else:
                    ask.append(sequence)
                    missing.ask(now_ns, again_ns, far)
            next_due = min(next_due, missing.due_ns)
        for sequence in lost:
            del self._missing[sequence]
        self.next_due_ns = next_due
        self.requested += len(ask)
        self.given_up += len(lost)
        return ask, len(lost)

    def clear(self) -> None:
        self._missing.clear()
        self.next_due_ns = NEVER

    def _waited(self, missing: _Missing, now_ns: int, again_ns: int) -> bool:
        return now_ns - missing.asked_ns >= self._max_tries * again_ns

    @staticmethod
    def _too_early(missing: _Missing, sequence: int, highest: int, now_ns: int) -> bool:
        return (
            missing.tries == 0
            and highest - sequence < FIRST_PACKETS
            and now_ns - missing.since_ns < FIRST_LATEST_NS
        )
