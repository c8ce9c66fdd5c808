"""Destroys a seat's or a whole recording's media for good: keys first, then everything sealed under them.

A destruction is a row in the books with a plan (what there was, noted before the first key goes) and steps
that may each be done again, so that a killed process resumes where it was. It says `done`, and gives a
receipt, only after it has looked that keys and objects are gone. It must not decide who may ask, nor touch
attendance, consents or the audit chain except by adding to it. Journal segments of a single seat stay as
ciphertext without a key, so that the chain of the others can still be proved; a whole recording's go.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.domain.retention import may_begin, no_backup_opens_from
from server.runtime.generation import GenerationError
from server.runtime.journal_cleaner import copies_in, remove_journal
from server.runtime.keystore import ROOM, KeyStore
from server.runtime.objects import Objects
from server.runtime.receipts import Receipts
from server.runtime.stripping import Lane, lanes_of, strip
from server.runtime.tasks import describe
from server.storage import audit, destructions, exports, holds, retentions
from server.storage.database import Database
from server.storage.destructions import BEGUN, DOCUMENTS, DONE, Destruction
from server.storage.journals import Journals
from server.storage.recordings import Recordings

log = logging.getLogger("hyeopjin.runtime.destruction")

OfDocuments = Callable[[Destruction], Awaitable[bool]]
Exports = Callable[[str, str | None], Awaitable[list[str]]]
Quiet = Callable[[str], AbstractAsyncContextManager[None]]
#: Every place at which a process may die; each begins with what its name says.
SEAT_STEPS = ("begin", "keys", "exports", "media", "commit", "remove", "receipt", "books")
WHOLE_STEPS = ("begin", "keys", "exports", "media", "journal", "expire", "receipt", "books")


TRY_AGAIN_S = 30.0


class NotGoneError(Exception):
    """Something is still there after its destruction. `code`: key_left, object_left, journal_left."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class DestroyerOptions:
    """Where the journals are, how long backups of the key store live, and the clock."""

    journal_root: Path
    backup_days: int
    now_ms: Callable[[], int]


@contextlib.asynccontextmanager
async def nobody_works(_recording: str) -> AsyncIterator[None]:
    """No finaliser is about: a command on a directory where no server runs."""
    yield


async def no_exports(_recording: str, _seat: str | None) -> list[str]:
    """Nothing was composed."""
    return []


async def not_ours(_row: Destruction) -> bool:
    """Documents are left to another process."""
    return False


class Destroyer:
    """One per process that holds the data directory. `quiet` keeps the finaliser off a recording; `exports`
    destroys what was composed of it and returns their ids; `step` is told each step before it is taken;
    `documents` carries out destructions of that kind.
    """

    def __init__(
        self,
        database: Database,
        keys: KeyStore,
        objects: Objects,
        receipts: Receipts,
        options: DestroyerOptions,
        quiet: Quiet = nobody_works,
        exports: Exports = no_exports,
        step: Callable[[str], None] = lambda _name: None,
        documents: OfDocuments = not_ours,
    ) -> None:
        self._database = database
        self._rows = Recordings(database)
        self._keys = keys
        self._objects = objects
        self._receipts = receipts
        self._options = options
        self._quiet = quiet
        self._exports = exports
        self._step = step
        self._documents = documents
        self._turn = asyncio.Lock()
        self._not_before: dict[str, float] = {}  # a destruction that failed → when it is tried again

    async def run_waiting(self) -> list[str]:
        """Carry out everything that was asked for and may be done now; ids of what is done. One that fails
        is told in the log and tried again at the next call; it does not stop the others.
        """
        done = []
        async with self._turn:
            async with self._database.read() as tx:
                waiting = await destructions.unfinished(tx)
            for row in waiting:
                if time.monotonic() < self._not_before.get(row.id, 0.0):
                    continue
                try:
                    if await self._run(row):
                        done.append(row.id)
                except Exception as error:
                    self._not_before[row.id] = time.monotonic() + TRY_AGAIN_S
                    log.error("a destruction is not done yet: %s", getattr(error, "code", describe(error)))
        return done

    async def _run(self, row: Destruction) -> bool:
        if row.kind == DOCUMENTS:
            return await self._documents(row)
        self._step("begin")
        begun = row if row.state == BEGUN else await self._begin(row)
        if begun is None:
            return False
        async with self._quiet(row.recording_id):
            self._step("keys")
            begun = await self._destroy_keys(begun)
            self._step("exports")
            begun = await self._destroy_exports(begun)
            self._step("media")
            await (self._destroy_media(begun) if begun.whole else self._strip(begun))
            await self._look(begun)
            self._step("receipt")
            await self._finish(begun)
        log.info("destroyed: %s", "a recording" if row.whole else "a seat of a recording")
        return True

    # --- the steps ---------------------------------------------------------------------------------------

    async def _begin(self, row: Destruction) -> Destruction | None:
        """Note what there is; None while a hold or the session itself forbids it."""
        async with self._database.read() as tx:
            if not await self._may_begin(tx, row):
                return None
        plan = await self._planned(row)
        async with self._database.write() as tx:
            # Asked again where it is written: a hold set meanwhile comes first.
            if not await self._may_begin(tx, row):
                return None
            plan["held"] = await held_meanwhile(tx, row, self._options.now_ms())
            await destructions.change(tx, row.id, state=BEGUN, plan=plan)
            return await destructions.by_id(tx, row.id)

    async def _may_begin(self, tx: Any, row: Destruction) -> bool:
        kept = await retentions.get(tx, row.recording_id)
        ended = kept is None or kept.ended_ms is not None
        return may_begin(session_ended=ended, held=await holds.case_is_held(tx, row.case_id))

    async def _planned(self, row: Destruction) -> dict[str, Any]:
        recording = row.recording_id
        found = await self._rows.get(recording)
        seats = [row.seat_id]
        if row.whole:
            known = {seat.id for seat in await self._rows.seats(recording)} if found else set()
            seats = sorted(known | set(await asyncio.to_thread(self._keys.seats, recording)) | {ROOM})
        keys = [{"seat": seat, "fingerprint": self._keys.fingerprint(recording, seat)} for seat in seats]
        lanes = lanes_of(found.index or {}, row.seat_id) if found and not row.whole else []
        objects = await asyncio.to_thread(self._names, recording, row.seat_id)
        async with self._database.read() as tx:
            composed = await exports.held(tx, recording)
        return {
            "keys": keys,
            "lanes": [lane.as_gap() for lane in lanes],
            "objects": objects,
            "journal": self._segments(recording, row.seat_id),
            "exports": [each.id for each in composed if row.whole or row.seat_id in each.seats],
        }

    def _names(self, recording: str, seat: str) -> list[str]:
        """Every object of a recording, or of one seat of it. Blocking."""
        return [
            f"g{number}/{name}"
            for number in self._objects.generations(recording)
            for name in self._objects.names(recording, number)
            if (name.startswith(f"{seat}-") if seat else not name.startswith("."))
        ]

    def _segments(self, recording: str, seat: str) -> dict[str, Any]:
        """How many segments, of how many bytes; `removed` says whether they go or stay without a key."""
        pattern = f"*/{seat}.*.seg" if seat else "*/*.seg"
        sizes = [path.stat().st_size for path in self._journal(recording).glob(pattern)]
        return {"segments": len(sizes), "bytes": sum(sizes), "removed": not seat}

    async def _destroy_keys(self, row: Destruction) -> Destruction:
        for key in row.plan["keys"]:
            await asyncio.to_thread(self._keys.destroy, row.recording_id, str(key["seat"]))
        async with self._database.write() as tx:
            if row.destroyed_ms is None:
                await destructions.change(tx, row.id, destroyed_ms=self._options.now_ms())
            return await destructions.by_id(tx, row.id) or row

    async def _destroy_exports(self, row: Destruction) -> Destruction:
        gone = await self._exports(row.recording_id, row.seat_id or None)
        plan = {**row.plan, "exports": sorted({*row.plan.get("exports", []), *gone})}
        async with self._database.write() as tx:
            await destructions.change(tx, row.id, plan=plan)
            return await destructions.by_id(tx, row.id) or row

    async def _strip(self, row: Destruction) -> None:
        """Only generations without the seat's tracks stay."""
        found = await self._rows.get(row.recording_id)
        number = found.generation if found else 0
        await self._drop_half_finished(row, number)
        if found is not None and number and await asyncio.to_thread(self._has_tracks, row, number):
            lanes = [Lane.of(gap) for gap in row.plan["lanes"]]
            lanes = lanes or lanes_of(found.index or {}, row.seat_id)
            try:
                made = await strip(self._objects, self._keys, row.recording_id, number, lanes)
            except GenerationError as error:
                # What cannot be read cannot be sealed anew: the others stay as they are.
                log.warning("no new generation without the seat: %s", error.code)
            else:
                self._step("commit")
                number = made.number
                index = {**made.index, "chain": (found.index or made.index).get("chain")}
                now_ms = self._options.now_ms()
                await self._rows.commit_generation(
                    found.id, number, found.epochs_finalised, made.duration_ms, index, now_ms
                )
        self._step("remove")
        for other in await asyncio.to_thread(self._objects.generations, row.recording_id):
            if other != number:
                await self._objects.remove_generation(row.recording_id, other)
            else:
                await self._objects.remove_tracks(row.recording_id, other, row.seat_id)

    async def _drop_half_finished(self, row: Destruction, committed: int) -> None:
        """What a finaliser would go on from: it may hold the seat's tracks."""
        await self._objects.remove_waiting(row.recording_id, committed)
        await asyncio.to_thread(self._objects.discard_scratch, row.recording_id)

    def _has_tracks(self, row: Destruction, number: int) -> bool:
        names = self._objects.names(row.recording_id, number)
        return any(name.startswith(f"{row.seat_id}-") for name in names)

    async def _destroy_media(self, row: Destruction) -> None:
        await self._drop_half_finished(row, 0)
        for number in await asyncio.to_thread(self._objects.generations, row.recording_id):
            await self._objects.remove_generation(row.recording_id, number)
        self._step("journal")
        await self._remove_journal(row.recording_id)
        self._step("expire")
        await self._rows.expire(row.recording_id, self._options.now_ms())

    async def _remove_journal(self, recording: str) -> None:
        """Here and, where segments were copied, in the object store; the books know why it is gone."""
        journals, found = Journals(self._database), await self._rows.get(recording)
        if found is not None and await journals.cleaning(recording) is None:
            await journals.begin_cleaning(recording, found.generation, self._options.now_ms())
        await remove_journal(self._objects.remote, self._options.journal_root, recording)
        if found is not None:
            await journals.end_cleaning(recording, self._options.now_ms())

    def _copies(self, recording: str) -> list[str]:
        """Segments in the object store. Blocking."""
        remote = self._objects.remote
        return [] if remote is None else copies_in(remote, recording)

    async def _look(self, row: Destruction) -> None:
        """Raises NotGoneError: nobody is told of a destruction that did not happen."""
        for key in row.plan["keys"]:
            if not self._keys.is_gone(row.recording_id, str(key["seat"])):
                raise NotGoneError("key_left")
        if await asyncio.to_thread(self._names, row.recording_id, row.seat_id):
            raise NotGoneError("object_left")
        copies = await asyncio.to_thread(self._copies, row.recording_id) if row.whole else []
        if copies or (row.whole and self._journal(row.recording_id).exists()):
            raise NotGoneError("journal_left")

    async def _finish(self, row: Destruction) -> None:
        async with self._database.read() as tx:
            head = await audit.head(tx)
        receipt = await asyncio.to_thread(self._receipts.issue, self._facts(row, head))
        self._step("books")
        told = "media_destroyed" if row.receipt is None else "destruction_relearned"
        entry = audit.Entry(
            told,
            "recording",
            row.recording_id,
            "",
            seat_id=row.seat_id or None,
            case_id=row.case_id or None,
            detail={"receipt": receipt.number, "hash": receipt.hash, "cause": row.cause},
        )
        async with self._database.write() as tx:
            await destructions.change(
                tx,
                row.id,
                state=DONE,
                receipt=receipt.envelope.decode("ascii"),
                receipt_number=receipt.number,
                receipt_hash=receipt.hash,
            )
            await audit.append(tx, self._options.now_ms(), entry)

    def _facts(self, row: Destruction, audit_head: str) -> Mapping[str, Any]:
        return facts_of(row, audit_head, self._options) | {
            "recording": row.recording_id,
            "seat": row.seat_id,
            "objects": row.plan["objects"],
            "journal": row.plan["journal"],
            "exports": row.plan["exports"],
        }

    def _journal(self, recording: str) -> Path:
        return self._options.journal_root / recording


def facts_of(row: Destruction, audit_head: str, options: DestroyerOptions) -> dict[str, Any]:
    """What a receipt says of any destruction, whatever was destroyed."""
    destroyed_ms = row.destroyed_ms or options.now_ms()
    return {
        "audit_head": audit_head,
        "destruction": row.id,
        "case": row.case_id,
        "cause": row.cause,
        "reason": row.reason,
        "requested_by": row.requested_by,
        "on_behalf": row.on_behalf,
        "requested_at_ms": row.requested_ms,
        "held": row.plan.get("held", []),
        "keys": row.plan["keys"],
        "destroyed_at_ms": destroyed_ms,
        "backup_days": options.backup_days,
        "no_backup_opens_from_ms": no_backup_opens_from(destroyed_ms, options.backup_days),
    }


async def held_meanwhile(tx: Any, row: Destruction, now_ms: int) -> list[dict[str, Any]]:
    """Holds that stood between the request and now: why it waited."""
    return [
        {"hold": hold.id, "from_ms": max(hold.set_ms, row.requested_ms), "until_ms": hold.lifted_ms or now_ms}
        for hold in await holds.of_case(tx, row.case_id)
        if (hold.lifted_ms or now_ms) > row.requested_ms
    ]
