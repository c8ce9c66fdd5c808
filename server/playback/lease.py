"""A running response's right to go on: asked again after little time and few bytes.

It must not know who is asking or for what; `ask` raises when the right is gone.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

LEASE_S = 2.0
LEASE_BYTES = 128 * 1024
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
