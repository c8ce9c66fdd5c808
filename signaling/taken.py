"""Which of a room's plans media has taken, for who may promise silence only then. Must not: send plans."""

from __future__ import annotations

import asyncio


class Taken:
    """Plans by their numbers, in the order in which they are put. Each is the whole state: the newer one
    contains the older."""

    def __init__(self) -> None:
        self._put = 0
        self._taken = 0
        self._waiting: dict[asyncio.Future[None], int] = {}

    def put(self) -> int:
        """One more plan is on its way to media; its number."""
        self._put += 1
        return self._put

    def took(self, number: int) -> None:
        """Media has this plan."""
        self._taken = max(self._taken, number)
        for done, wanted in self._waiting.items():
            if wanted <= self._taken and not done.done():
                done.set_result(None)

    def void(self) -> None:
        """There is no media any more that could have anything."""
        self.took(self._put)

    async def all(self, seconds: float) -> bool:
        """Whether media has every plan that was put up to now; waits so long for it."""
        if self._taken >= self._put:
            return True
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[done] = self._put
        try:
            await asyncio.wait({done}, timeout=seconds)
            return done.done() and not done.cancelled()
        finally:
            del self._waiting[done]

    def close(self) -> None:
        """Nobody waits any longer: it is not known whether media has it."""
        for done in self._waiting:
            done.cancel()
