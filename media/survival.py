"""When a participant's line is so thin that only a voice and stills get through, and when it is not any more.

The browser's estimates are a reason to look, never the verdict: they know only what was sent, so a quiet line
looks thin and a thin line that is spared never looks good again. The verdict is what the line carries
(`media/capacity.py`), or, for the way up, what the page says. Pure; time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SUSPECT_BPS = 160_000
"""An estimate below this is a reason to measure. Two voices with redundancy take as much."""
ENTER_BPS = 140_000
NARROW_BPS, CONFIRMED = 210_000, 2
"""And no two of the last pairs may say this much: where the page's own pictures fill the way back, they come
between the answers of most pairs, and the median tells of them."""
LEAVE_BPS = 200_000
"""A line must carry this much to be trusted with pictures again."""
CONFIRM_NS = 3_000_000_000
"""How long an estimate of the way up must stand."""
DEAF_NS = 6_000_000_000
"""A suspect line that answers no probe for so long is full to the brim."""
GOOD_PROBES = 4
"""In a row: a browser that stood still for a moment answers a pair as if the line were fast."""
DEAF_PROBES = 3
HOLD_NS = 6_000_000_000
MOST_HOLD_NS = 120_000_000_000
"""A line that fails again soon after it was trusted is given time: twice as much each time."""
SOON_NS = 60_000_000_000
GRACE_NS = 10_000_000_000
"""Estimates grow slowly: so long after leaving they are no reason for anything."""

EVERY_SUSPECT_NS = 500_000_000
EVERY_NS = 2_000_000_000
EVERY_HOPEFUL_NS = 800_000_000
EVERY_CALM_NS = 3_500_000_000
"""A low estimate over a line that has just been measured as good."""

Cause = Literal["", "down", "up"]


def doubtful(estimate_bps: int, up_thin: bool) -> bool:
    """Whether an estimate, or what the page says, is a reason to look at all."""
    return up_thin or 0 < estimate_bps < SUSPECT_BPS


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a line now; bit/s, 0 = not known."""

    estimate_bps: int
    """What the browser believes to be able to receive (REMB)."""
    up_thin: bool
    """The page believes to be able to send less than a voice and a picture."""
    capacity_bps: int
    """By probes, the median."""
    newest: tuple[int, ...] = ()
    """The last GOOD_PROBES probes."""
    unanswered: int = 0


class Line:
    """One participant's line. Ask `look` a few times a second."""

    __slots__ = ("_hold_ns", "_left_ns", "_suspect_ns", "_up_ns", "cause", "since_ns", "survival")

    def __init__(self) -> None:
        self.survival = False
        self.cause: Cause = ""
        self.since_ns = 0
        self._suspect_ns = 0
        self._up_ns = 0
        self._left_ns = 0
        self._hold_ns = HOLD_NS

    def look(self, reading: Reading, now_ns: int) -> bool:
        """Takes the reading in; True when the verdict has changed."""
        before = self.survival
        if before:
            if self._good_again(reading, now_ns):
                self.survival, self.cause, self._left_ns = False, "", now_ns
                self._suspect_ns = self._up_ns = 0
        else:
            self.cause = self._thin(reading, now_ns)
            if self.cause:
                again = self._left_ns and now_ns - self._left_ns < SOON_NS
                self._hold_ns = min(2 * self._hold_ns, MOST_HOLD_NS) if again else HOLD_NS
                self.survival, self.since_ns = True, now_ns
        return self.survival != before

    def trust(self) -> None:
        """Whatever was in doubt is so no more; outside survival only."""
        self._suspect_ns = self._up_ns = 0

    @property
    def at_rest(self) -> bool:
        """Neither in survival nor in doubt: only a bad reading can change anything."""
        return not (self.survival or self._suspect_ns or self._up_ns)

    def probe_every_ns(self, reading: Reading) -> int:
        """How often the line is to be probed now; 0 = not at all."""
        if self.survival:
            hopeful = reading.newest and reading.newest[-1] >= LEAVE_BPS
            return EVERY_HOPEFUL_NS if hopeful else EVERY_NS
        if not self._suspect_ns:
            return 0
        return EVERY_CALM_NS if reading.capacity_bps >= LEAVE_BPS else EVERY_SUSPECT_NS

    def _thin(self, reading: Reading, now_ns: int) -> Cause:
        if self._left_ns and now_ns - self._left_ns < GRACE_NS:
            return ""
        low = 0 < reading.estimate_bps < SUSPECT_BPS
        self._suspect_ns = (self._suspect_ns or now_ns) if low else 0
        self._up_ns = (self._up_ns or now_ns) if reading.up_thin else 0
        if self._up_ns and now_ns - self._up_ns >= CONFIRM_NS:
            return "up"
        if not low:
            return ""
        if reading.capacity_bps:
            best = sorted(reading.newest)[-CONFIRMED:]
            narrow = reading.capacity_bps < ENTER_BPS and min(best, default=0) < NARROW_BPS
            return "down" if narrow else ""
        silent = not reading.newest and reading.unanswered >= DEAF_PROBES
        deaf = silent and now_ns - self._suspect_ns >= DEAF_NS
        return "down" if deaf else ""

    def _good_again(self, reading: Reading, now_ns: int) -> bool:
        if now_ns - self.since_ns < self._hold_ns:
            return False
        return len(reading.newest) >= GOOD_PROBES and min(reading.newest) >= LEAVE_BPS
