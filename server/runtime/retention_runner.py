"""Sees to it that what is due goes: what was asked for within seconds, what is over once an hour.

It decides nothing: periods and holds are `server/services/retention.py`, destroying is
`server/runtime/destruction.py`. The clock is an argument of `tick`, so that eleven years pass in a test.
"""

from __future__ import annotations

import asyncio
import logging
import time

from server.runtime.destruction import Destroyer
from server.runtime.tasks import TaskOwner, describe
from server.services.retention import RUN_MARK, Retention
from server.storage import retentions
from server.storage.database import Database

log = logging.getLogger("hyeopjin.runtime.retention")

LOOK_EVERY_S = 2.0
RUN_EVERY_S = 3600.0


class RetentionRunner:
    """Order: construct, `start`, …, `stop`."""

    def __init__(self, database: Database, retention: Retention, destroyer: Destroyer) -> None:
        self._database = database
        self._retention = retention
        self._destroyer = destroyer
        self._owner = TaskOwner("retention")

    async def start(self) -> None:
        self._owner.spawn(self._loop(), "loop")

    async def stop(self) -> None:
        """A destruction that is cut short resumes at the next start."""
        await self._owner.close()

    async def tick(self, now_ms: int) -> list[str]:
        """One full run at an instant: date, expire, destroy; ids of the destructions done."""
        await self._retention.reckon()
        for row in await self._retention.due(now_ms):
            await self._retention.expire(row)
        for ending in await self._retention.documents.due(now_ms):
            await self._retention.documents.expire(ending.case_id)
        done = await self._destroyer.run_waiting()
        async with self._database.write() as tx:
            await retentions.mark(tx, RUN_MARK, now_ms)
        return done

    async def _loop(self) -> None:
        await self._guarded(full=True, first=True)
        last = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            full = time.monotonic() - last >= RUN_EVERY_S
            if full:
                last = time.monotonic()
            await self._guarded(full=full)

    async def _guarded(self, *, full: bool, first: bool = False) -> None:
        try:
            if first:
                await self._retention.reckon(everything=True)
            if full:
                await self.tick(self._retention.now_ms())
            else:
                await self._retention.reckon()  # what has just ended gets its date, for people to see
                await self._destroyer.run_waiting()
        except Exception as error:
            log.error("retention did not run: %s", describe(error))
