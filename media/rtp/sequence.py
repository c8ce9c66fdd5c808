"""Sequence numbers without end, and what a receiver report says of them (RFC 3550 A.1, A.3, A.8).

Time is an argument, in nanoseconds. A stream that really starts anew is believed at the second packet in a
row.
"""

from __future__ import annotations

MAX_DROPOUT = 3000
"""A jump forward by less is loss (RFC 3550 A.1)."""
MAX_LATE = 2048
"""A step back by less is a late or repeated packet: more than A.1's 100, because retransmissions come
late."""
REJECTED = -1


class SequenceUnwrapper:
    """Extends 16-bit numbers to integers that only grow. `take` gives REJECTED for a packet not to be
    believed yet."""

    __slots__ = ("awaited", "base", "highest", "restarts")

    def __init__(self) -> None:
        self.base = REJECTED
        self.highest = REJECTED
        self.restarts = 0
        self.awaited = REJECTED
        """The number that would prove a restart."""

    def take(self, sequence: int) -> int:
        """The extended number of a packet that has arrived; `highest` follows."""
        highest = self.highest
        if highest < 0:
            # One cycle up, so that a packet from before the first never gets a negative number.
            self.base = self.highest = 0x10000 + sequence
            return self.highest
        ahead = (sequence - highest) & 0xFFFF
        if ahead < MAX_DROPOUT:
            self.awaited = REJECTED
            self.highest = highest + ahead
            return self.highest
        if 0x10000 - ahead <= MAX_LATE:
            return highest + ahead - 0x10000
        if sequence != self.awaited:
            self.awaited = (sequence + 1) & 0xFFFF
            return REJECTED
        self.awaited = REJECTED
        self.restarts += 1
        self.highest = self.base = (highest | 0xFFFF) + 0x10001 + sequence
        return self.highest

    def extend(self, sequence: int) -> int:
        """The extended number nearest to `highest`, without taking note of it; REJECTED before the first
        packet."""
        if self.highest < 0:
            return REJECTED
        return self.highest + ((sequence - self.highest + 0x8000) & 0xFFFF) - 0x8000


class ReceptionStats:
    """Counters of one received stream for its report block. `clock_hz` is the RTP clock."""

    __slots__ = ("_clock_hz", "_prior_expected", "_prior_received", "_transit", "jitter", "lost", "received")

    def __init__(self, clock_hz: int) -> None:
        self._clock_hz = clock_hz
        self._transit: int | None = None
        self._prior_expected = 0
        self._prior_received = 0
        self.received = 0
        self.lost = 0
        self.jitter = 0.0

    def arrived(self, timestamp: int, at_ns: int) -> None:
        """One packet in order (retransmissions count for `received` only: their transit time says
        nothing)."""
        self.received += 1
        transit = (at_ns * self._clock_hz // 1_000_000_000 - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            change = (transit - self._transit) & 0xFFFFFFFF
            if change > 0x7FFFFFFF:
                change = 0x100000000 - change
            # A source that jumps (mute, restart) would spoil the smoothed value for minutes.
            if change < self._clock_hz * 5:
                self.jitter += (change - self.jitter) / 16
        self._transit = transit

    def interval(self, base: int, highest: int) -> int:
        """Closes a report interval: updates `lost`, returns the fraction lost in 1/256 (RFC 3550 A.3)."""
        expected = highest - base + 1
        self.lost = max(-0x800000, min(expected - self.received, 0x7FFFFF))
        expected_now = expected - self._prior_expected
        received_now = self.received - self._prior_received
        self._prior_expected = expected
        self._prior_received = self.received
        lost_now = expected_now - received_now
        if expected_now <= 0 or lost_now <= 0:
            return 0
        return min(255, (lost_now << 8) // expected_now)

    def restart(self) -> None:
        """The stream's numbers start anew."""
        self._prior_expected = self._prior_received = self.received = 0
        self._transit = None
