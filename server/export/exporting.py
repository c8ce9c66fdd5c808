"""The queue of exports: one composition at a time, taken up again after a kill of the server.

The books are the queue. While one runs, its row is read again and again: cancelled or destroyed by anybody,
in any process, or one of its seats withdrawn, it is ended. Films wait while anybody is in a room. It must not
publish what is not whole, nor keep what nobody may have.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from server.export.composing import Composition
from server.export.making import ExportError, GenerationError, ObjectError, Target
from server.export.plan import Order
from server.export.plates import FontsMissingError
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.tasks import TaskOwner, describe
from server.services.context import Context
from server.services.exports import GENERATION, OBJECT, Exports, export_key
from server.storage import exports
from server.storage.exports import ExportRow

log = logging.getLogger("hyeopjin.exporting")

LOOK_EVERY_S = 0.5
ROOMS_EVERY_S = 2.0
LONGEST_WAIT_MS = 1_800_000
"""A film that has waited so long for the rooms to be empty begins all the same: it stands back anyway."""
HEAVY = ("film", "clip")
IDLE_S = 60.0
AFTER_ERROR_S = 5.0
TRIES = 3
AGAIN = ("object_missing", "composer_killed", "track_unreadable")
"""A newer generation may have taken the place of the one that was being read, or the child was killed."""
GONE = ("seat_gone", "recording_gone")


class Exporting:
    """Construct, `start`, …, `stop`."""

    def __init__(
        self,
        context: Context,
        service: Exports,
        keys: KeyStore,
        busy: Callable[[], Awaitable[bool]],
        tries_wait_s: float = 1.0,
        idle_s: float = IDLE_S,
    ) -> None:
        """`busy`: whether anybody is in a room. `idle_s`: so often the books are looked at unasked."""
        self._context = context
        self._service = service
        self._making = service.making
        self._keys = keys
        self._objects = service.objects
        self._busy = busy
        self._tries_wait_s = tries_wait_s
        self._idle_s = idle_s
        self._owner = TaskOwner("exporting")
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._running: tuple[str, Composition] | None = None
        service.nudged = self.nudge
        service.progress = self.progress

    async def start(self) -> None:
        """Begin with what a former run left."""
        await asyncio.to_thread(self._objects.sweep_scratch)
        await self._service.tidy(self._context.now_ms())
        self._owner.spawn(self._run(), "queue")

    async def stop(self) -> None:
        """End a running composition; it starts again next time. Idempotent."""
        await self._owner.close()

    def nudge(self) -> None:
        """Something was asked for, cancelled or destroyed."""
        self._idle.clear()
        self._wake.set()

    def progress(self, export: str) -> int:
        """In thousandths."""
        return self._running[1].progress if self._running and self._running[0] == export else 0

    async def idle(self) -> None:
        """Wait until nothing is queued or running."""
        await self._idle.wait()

    async def _run(self) -> None:
        while True:
            try:
                await self._turn()
            except Exception as error:  # books that do not answer now may answer later
                log.error("the queue of exports failed: %s", describe(error))
                await asyncio.sleep(AFTER_ERROR_S)

    async def _turn(self) -> None:
        self._wake.clear()
        async with self._context.database.read() as tx:
            rows = [row for row in await exports.held(tx) if row.state in exports.UNFINISHED]
        next_one = await self._next(rows)
        self._service.held_back = bool(rows) and next_one is None
        if next_one is not None:
            await self._one(next_one)
            return
        if not rows:
            self._idle.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), ROOMS_EVERY_S if rows else self._idle_s)
        if not rows:
            await self._service.tidy(self._context.now_ms())

    async def _next(self, rows: Sequence[ExportRow]) -> ExportRow | None:
        """The first that may begin: while anybody is in a room, only what costs little or waited long."""
        if not rows or not await self._busy():
            return next(iter(rows), None)
        long_ago = self._context.now_ms() - LONGEST_WAIT_MS
        return next((row for row in rows if row.kind not in HEAVY or row.made_ms <= long_ago), None)

    async def _one(self, row: ExportRow) -> None:
        async with self._context.database.write() as tx:
            if not await exports.change(tx, row.id, exports.UNFINISHED, state="running"):
                return
        code = "export_failed"
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(self._tries_wait_s)
            try:
                if await self._attempt(row):
                    return
                code = "cancelled"
            except (ExportError, GenerationError, ObjectError, KeyStoreError, FontsMissingError) as error:
                code = error.code
            except OSError as error:
                code = f"storage_{error.errno or 0}"
            except Exception as error:
                log.error("an export failed: %s", describe(error))
            if code not in AGAIN:
                break
        await self._failed(row, code)

    async def _failed(self, row: ExportRow, code: str) -> None:
        if code in GONE:
            await self._service.end_withdrawn(row)
            return
        if code != "cancelled":
            log.warning("an export could not be made: %s", code)
        values = {"state": "failed", "error_code": code, "finished_ms": self._context.now_ms()}
        async with self._context.database.write() as tx:
            await exports.change(tx, row.id, exports.UNFINISHED, **values)
        await asyncio.to_thread(self._keys.destroy, row.id, ROOM)

    async def _attempt(self, row: ExportRow) -> bool:
        """Whether it is ready now; False if it was ended by somebody."""
        await asyncio.to_thread(self._objects.discard_scratch, row.id)
        scratch = await asyncio.to_thread(self._objects.scratch, row.id)
        try:
            key = await asyncio.to_thread(export_key, self._keys, row.id, make=True)
            if key is None:
                return False
            target = Target(scratch / OBJECT, *key)
            order = Order(row.kind, **row.options)
            now_ms = self._context.now_ms()
            prepared = await self._making.prepare(row.recording_id, order, target, now_ms, row.seats)
            if set(prepared.seats) != set(row.seats):
                raise ExportError("seat_gone")
            composition = Composition()
            self._running = (row.id, composition)
            watching = self._owner.spawn(self._watch(row.id, composition), "watch")
            try:
                result = await composition.run(prepared)
            finally:
                watching.cancel()
                self._running = None
            return await self._publish(row, scratch, int(result["bytes"]), str(result["sha256"]))
        except ExportError as error:
            if error.code == "cancelled":
                return False
            raise
        finally:
            await asyncio.to_thread(self._objects.discard_scratch, row.id)

    async def _watch(self, export: str, composition: Composition) -> None:
        """Ends a composition whose export was ended in the books."""
        while True:
            self._wake.clear()
            async with self._context.database.read() as tx:
                row = await exports.by_id(tx, export)
            if row is not None and await self._service.blocked(row):
                await self._service.end_withdrawn(row)
                row = None
            if row is None or row.state != "running":
                composition.stop()
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_EVERY_S)

    async def _publish(self, row: ExportRow, scratch: Path, size: int, sha256: str) -> bool:
        if await asyncio.to_thread(self._some_gone, row) or await self._service.blocked(row):
            raise ExportError("seat_gone")
        await self._objects.remove_generation(row.id, GENERATION)  # of a run that was killed just before
        await self._objects.publish(row.id, GENERATION, scratch)
        finished_ms = self._context.now_ms()
        values = {
            "state": "ready", "object": OBJECT, "bytes": size, "sha256": sha256, "error_code": None,
            "finished_ms": finished_ms, "expires_ms": self._service.expires_ms(finished_ms),
        }  # fmt: skip
        async with self._context.database.write() as tx:
            done = await exports.change(tx, row.id, ("running",), **values)
        if not done:
            await self._objects.remove_generation(row.id, GENERATION)
        return done

    def _some_gone(self, row: ExportRow) -> bool:
        return any(self._keys.destroyed(row.recording_id, seat) for seat in row.seats)
