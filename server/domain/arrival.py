"""Who is on the way: said by the one who comes, or by a coordinator for them; believed for a while only."""

from __future__ import annotations

from dataclasses import dataclass

MAX_MINUTES = 30
MINUTE_MS = 60_000
LATE_MS = 5 * MINUTE_MS
"""So long after the time that was named nobody believes it any more."""
READY_MS = 15 * MINUTE_MS
"""“Ready” is believed so long."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """`ready_at_ms` == `said_at_ms`: ready already, and waiting to be called."""

    seat_id: str
    ready_at_ms: int
    said_at_ms: int
    said_by: str  # seat | coordinator


def arrival(seat_id: str, minutes: int, said_by: str, now_ms: int) -> Arrival:
    """`minutes` 0 = ready. Raises ValueError outside of 0 to 30."""
    if not 0 <= minutes <= MAX_MINUTES:
        raise ValueError("an arrival is said for the next half hour")
    return Arrival(seat_id, now_ms + minutes * MINUTE_MS, now_ms, said_by)


def is_believed(one: Arrival, now_ms: int) -> bool:
    """Whether those who wait are still told."""
    if one.ready_at_ms <= one.said_at_ms:
        return now_ms - one.said_at_ms < READY_MS
    return now_ms - one.ready_at_ms < LATE_MS
