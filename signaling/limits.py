"""How often a seat may speak: a token bucket with the time passed in. Must not: read a clock."""

from __future__ import annotations

from signaling.messages import MAX_EVENTS_PER_SECOND


class Bucket:
    """`rate` events per second, as many at once after a second's rest."""

    def __init__(self, now_ms: int, rate: int = MAX_EVENTS_PER_SECOND) -> None:
        self._rate = rate
        self._tokens = float(rate)
        self._at_ms = now_ms

    def take(self, now_ms: int) -> bool:
        """Whether one more event is allowed now. A clock that steps back gives nothing and takes nothing."""
        passed_ms = max(0, now_ms - self._at_ms)
        self._at_ms = now_ms
        self._tokens = min(float(self._rate), self._tokens + passed_ms * self._rate / 1000)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
