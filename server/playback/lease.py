"""A running response's right to go on: asked again after little time and few bytes.

It must not know who is asking or for what; `ask` raises when the right is gone.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

LEASE_S = 2.0
LEASE_BYTES = 64 * 1024
"""With what the sockets hold, a revoked reader gets well under 1 MiB more, however slowly it reads."""


class Lease:
    """`hold` before every chunk. `ask` was answered well when the lease is made."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[object]],
        monotonic: Callable[[], float] = time.monotonic,
        seconds: float = LEASE_S,
        size: int = LEASE_BYTES,
    ) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._seconds = seconds
        self._size = size
        self._asked_at = monotonic()
        self._sent = 0

    async def hold(self, length: int) -> None:
        """Account for `length` bytes about to be sent; asks first when time or bytes are used up."""
        now = self._monotonic()
        if now - self._asked_at >= self._seconds or self._sent + length > self._size:
            await self._ask()
            self._asked_at, self._sent = now, 0
        self._sent += length


class Asked:
    """Good answers, remembered for a tenth of a second: a page plays many tracks by one right.

    The issue allows 5 s; what a revoked reader may still get at full pace is the reason for less.
    """

    SECONDS = 0.1
    MOST = 1024

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._good: dict[tuple[str, ...], float] = {}

    async def of(self, key: tuple[str, ...], ask: Callable[[], Awaitable[object]]) -> None:
        """Return if `ask` has lately returned for `key`; else ask, and raise what it raises."""
        now = self._monotonic()
        if now - self._good.get(key, -self.SECONDS) < self.SECONDS:
            return
        self._good.pop(key, None)
        await ask()
        if len(self._good) >= self.MOST:
            self._good.clear()
        self._good[key] = now


class Pace:
    """How fast a response may run ahead of its reader.

    What the reader's own kernel has taken in cannot be taken back, and kernels take megabytes. Playing
    needs far less than the line gives: after a first burst, `rate` bytes a second; a reader that keeps up
    for a while earns twice as much again and again, one that makes us wait falls back.
    """

    BURST = 128 * 1024
    RATE = 640 * 1024
    STEADY_S = 6.0
    DOUBLE_S = 4.0
    FASTEST = 256 * 1024 * 1024
    BLOCKED_S = 0.1

    def __init__(self, rate: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = max(float(self.RATE), rate)
        # Three quarters of what was asked for: a player whose buffer is full makes us wait too, and it may
        # be playing at twice the speed.
        self._least = max(self.RATE / 4, rate * 3 / 4)
        self._monotonic = monotonic
        self._allowed = float(self.BURST)
        self._at = monotonic()
        self._faster_at = self._at + self.STEADY_S

    def wait_s(self, length: int) -> float:
        """Seconds to wait before `length` bytes more; they count as sent."""
        now = self._monotonic()
        if now >= self._faster_at:
            self._rate = min(self._rate * 2, float(self.FASTEST))
            self._faster_at = now + self.DOUBLE_S
        self._allowed = min(float(self.BURST), self._allowed + (now - self._at) * self._rate)
        self._at = now
        self._allowed -= length
        return max(0.0, -self._allowed / self._rate)

    def waited_for_reader(self, seconds: float) -> None:
        """A write had to wait for so long: beyond BLOCKED_S the reader is slower than we are."""
        if seconds >= self.BLOCKED_S:
            self._rate = self._least
            self._faster_at = self._monotonic() + self.STEADY_S
