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
MAX_TRIES = 6
MAX_AGE_NS = 1_000_000_000
MAX_MISSING = 256
NEVER = 1 << 62


@dataclass(slots=True)
class _Missing:
    since_ns: int
    due_ns: int
    tries: int = 0


class MissingPackets:
    """The missing numbers of one stream. `max_tries` is 2 for audio: later a packet is of no use to the
    ear."""

    __slots__ = ("_max_tries", "_missing", "given_up", "next_due_ns", "requested", "told")

    def __init__(self, max_tries: int = MAX_TRIES) -> None:
        self._max_tries = max_tries
        self._missing: dict[int, _Missing] = {}
        self.next_due_ns = NEVER
        self.requested = 0
        self.given_up = 0
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
        due = now_ns + FIRST_WAIT_NS
        for sequence in range(first, after):
            self._missing[sequence] = _Missing(now_ns, due)
        self.next_due_ns = min(self.next_due_ns, due)
        return False

    def received(self, sequence: int, now_ns: int) -> int:
        """A missing packet came. Returns -1 when it was not missing, 0 when it came unasked (reordered),
        else the nanoseconds since it was last asked for (an upper bound of the round trip)."""
        missing = self._missing.pop(sequence, None)
        if not self._missing:
            self.next_due_ns = NEVER
        if missing is None:
            return -1
        if missing.tries == 0:
            return 0
        return max(1, now_ns - missing.since_ns) if missing.tries == 1 else 0

    def due(self, now_ns: int, highest: int, rtt_ns: int) -> tuple[list[int], int]:
        """(numbers to ask for now, how many were given up now). A given-up packet is asked for no more."""
        if now_ns < self.next_due_ns:
            return [], 0
        again = now_ns + max(rtt_ns, LEAST_RTT_NS) * 5 // 4
        ask: list[int] = []
        lost: list[int] = []
        next_due = NEVER
        for sequence, missing in self._missing.items():
            if now_ns - missing.since_ns >= MAX_AGE_NS and missing.tries:
                lost.append(sequence)
                continue
            if missing.due_ns <= now_ns:
                if missing.tries >= self._max_tries:
                    lost.append(sequence)
                    continue
                if self._too_early(missing, sequence, highest, now_ns):
                    missing.due_ns = min(now_ns + FIRST_WAIT_NS, missing.since_ns + FIRST_LATEST_NS)
                else:
                    missing.tries += 1
                    if missing.tries == 1:
                        missing.since_ns = now_ns
                    missing.due_ns = again
                    ask.append(sequence)
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

    @staticmethod
    def _too_early(missing: _Missing, sequence: int, highest: int, now_ns: int) -> bool:
        return (
            missing.tries == 0
            and highest - sequence < FIRST_PACKETS
            and now_ns - missing.since_ns < FIRST_LATEST_NS
        )
