"""How long receivers should hold pictures back, so that what a line lost is there in time to be shown.

A browser knows its own line and waits for repairs on it, but not that of the sender: from there they come a
round trip late and each would be a freeze. The playout-delay extension tells it. Knows no packet but the one
it is to tell it in; time is an argument.
"""

from __future__ import annotations

from media.rtp.keyframes import vp8_frame_start
from media.rtp.packets import payload_offset, with_playout_delay

MOST_MS = 400
"""Sound waits for its picture (lip sync): any later, people would talk into each other (ITU-T G.114). Up to
160 ms of round trip 300 are enough, 300 ms need all of it."""
STEP_MS = 50
NEAR_NS = 60_000_000
"""A repair within so short a round trip is no freeze."""
DETECTED_NS = 100_000_000
"""Until a gap is seen (a picture may end with it, the next one comes 67 ms later) and asked for, at most
twice."""
ENOUGH = 2.0
"""Repairs in the last seconds that are a lossy line, not an accident."""
FADE = 0.8
REMEMBERED_NS = 30_000_000_000
TELLINGS = 3
"""How many pictures tell a new value: any of them may be lost."""


class Lateness:
    """How late the repaired packets of one line come, from how many there were."""

    __slots__ = ("_level", "_seen", "_until_ns")

    def __init__(self) -> None:
        self._level = 0.0
        self._seen = self._until_ns = 0

    def ns(self, repaired: int, rtt_ns: int, now_ns: int) -> int:
        """Call once a second with all there ever were; 0 while the line loses next to nothing."""
        self._level = self._level * FADE + max(0, repaired - self._seen)
        self._seen = repaired
        if self._level >= ENOUGH:
            self._until_ns = now_ns + REMEMBERED_NS
        if now_ns >= self._until_ns or rtt_ns < NEAR_NS:
            return 0
        return rtt_ns * 5 // 4 + DETECTED_NS


class Playout:
    """What one receiver of one picture was told, and what is still to be."""

    __slots__ = ("least_ms", "tellings")

    def __init__(self) -> None:
        self.least_ms = 0
        self.tellings = 0

    def want(self, late_ns: int) -> None:
        """Once a second. Up at once, down only when it is worth the jerk; told again while it is not 0."""
        wanted = min(MOST_MS, -(-late_ns // (STEP_MS * 1_000_000)) * STEP_MS)
        if wanted > self.least_ms or self.least_ms - wanted > STEP_MS or (self.least_ms and not wanted):
            self.least_ms = wanted
            self.tellings = TELLINGS
        elif self.least_ms:
            self.tellings = max(self.tellings, 1)

    def told(self, packet: bytes) -> bytes:
        """The packet with what is to be told in it, if it begins a picture (receivers look there alone)."""
        payload = payload_offset(packet)
        if not vp8_frame_start(packet, payload, len(packet)):
            return packet
        self.tellings -= 1
        return with_playout_delay(packet, self.least_ms)
