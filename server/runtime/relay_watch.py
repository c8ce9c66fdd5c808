"""Whether the relay's certificate would be refused by every browser; looked at when a page got nowhere.

A page cannot tell a bad certificate from a closed port. It must not judge a relay that it cannot reach: from
inside, an address may lead nowhere that works from outside.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence

from server.runtime.turn_client import Wire
from server.turn import RelayAddress

KEEP_S = 300.0


class RelayWatch:
    """Asks each relay's TLS at most once in five minutes, whoever wants to know."""

    def __init__(
        self, relays: Sequence[RelayAddress], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._relays = [relay for relay in relays if relay.wire == "tls"]
        self._monotonic = monotonic
        self._asked = asyncio.Lock()
        self._until = 0.0
        self._fault: str | None = None

    async def fault(self) -> str | None:
        """`certificate`, or None: nothing is known to be wrong."""
        async with self._asked:
            if self._relays and self._monotonic() >= self._until:
                self._fault = await asyncio.to_thread(self._look)
                self._until = self._monotonic() + KEEP_S
            return self._fault

    def _look(self) -> str | None:
        for relay in self._relays:
            try:
                Wire.open(relay.host, relay.port, "tls").close()
            except ssl.SSLCertVerificationError:
                return "certificate"
            except OSError:
                continue
        return None
