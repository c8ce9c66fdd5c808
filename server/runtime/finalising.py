"""Turns journals into watchable generations: one niced child at a time, from what is on disk.

A recording is due when its room has emptied, its session has ended, or, at server start, when it is
unfinished and nobody has returned. A killed child is started again from the segments; people coming back
end it, and it runs over everything when they have left. It publishes only what it has read back, and must
not remove a generation before a newer one is committed. Keys reach the child on its stdin only.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.recordstore.books import Books
from media.recordstore.segment import error_code
from server.runtime.finaliser_child import FinaliseError, FinaliserChild
from server.runtime.generation import Generation, GenerationError
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.machinery import FINALISER
from server.runtime.objects import ObjectError, Objects
from server.runtime.outbox import Parcel
from server.runtime.tasks import TaskOwner, describe
from server.storage.recordings import RecordingRow, Recordings, StoredHead

log = logging.getLogger("hyeopjin.runtime.finalising")

SYNC_ALARM_MS = 80
"""Between picture and voice, more is noticed (ITU-R BT.1359: sound early by 45, late by 125 ms)."""
TRIES = 3
RETRY_S = (0.5, 2.0)
HOPELESS = ("no_journal", "job_malformed", "key_destroyed")
AWAY = ("store_unreachable", "store_refused")
NO_ROOM = ("no_space", "read_only")
"""The object store's fault: what is finished waits in the outbox, and is sent when the store is there."""
QUIET_POLL_S = 0.02
JOURNAL_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class FinalisingOptions:
    """Where the journals are; `start_grace_s`: how long after the start people may return first;
    `store_retry_s`: how long until an object store that did not answer is asked again; `room_retry_s`: a full
    disk; `floor_bytes`: so much stays free on the disk of finished recordings.
    """

    journal_root: Path
    start_grace_s: float = 20.0
    command: tuple[str, ...] = FINALISER
    store_retry_s: float = 30.0
    room_retry_s: float = 5.0
    floor_bytes: int = 0


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000


async def _nothing_to_restore(_recording: str) -> None:
    return None


async def _no_wait(_recording: str, _epoch: int, _timeout: float) -> bool:
    return True


class Finalising:
    """The queue. Implements `signaling.ports.RoomListener`. Order: construct, `start`, …, `stop`.

    `occupied(room)` says (by truth) whether somebody is in a consultation's room; `wait_closed` waits for the
    worker to have synced an epoch (`MediaLink.wait_closed`); `restore` fetches journal segments that this
    machine lacks (`JournalRestore.restore`).
    """

    def __init__(
        self,
        rows: Recordings,
        keys: KeyStore,
        objects: Objects,
        options: FinalisingOptions,
        occupied: Callable[[str], Awaitable[object] | bool] = lambda _room: False,
        wait_closed: Callable[[str, int, float], Awaitable[bool]] = _no_wait,
        now_ms: Callable[[], int] = _unix_ms,
        restore: Callable[[str], Awaitable[object]] = _nothing_to_restore,
    ) -> None:
        self._rows = rows
        self._keys = keys
        self._objects = objects
        self._options = options
        self._occupied = occupied
        self._wait_closed = wait_closed
        self._now_ms = now_ms
        self._restore = restore
        self._owner = TaskOwner("finalising")
        self._due: dict[str, float] = {}
        self._quiet: set[str] = set()
        self._left: set[str] = set()  # found at the start: nobody has said that their rooms are empty
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._current: str | None = None
        self._cancelled = False
        self._child: FinaliserChild | None = None
        self.on_ready: Callable[[str], Awaitable[object]] = _nothing_to_restore  # must not raise
        self.out_of_step = 0
        """Finished tracks, since the start, whose measured error is over SYNC_ALARM_MS (metrics)."""

    async def start(self) -> None:
        """Begin, and take up everything a former run left, after the grace for people to return."""
        unfinished = await self._rows.unfinished()
        await asyncio.to_thread(self._objects.sweep_scratch, {row.id for row in unfinished})
        self._owner.spawn(self._run(), "queue")
        for row in unfinished:
            self._left.add(row.id)
            self._enqueue(row.id, self._options.start_grace_s)

    async def stop(self) -> None:
        """End a running child (it starts again from the segments next time). Idempotent."""
        self._kill()
        await self._owner.close()

    async def room_emptied(self, room: str, session: str) -> None:
        """Nobody has been in for 5 s, or the session ended (`signaling.ports.RoomListener`)."""
        self._left.discard(session)
        self._enqueue(session, 0.0)

    async def look(self, _now_ms: int) -> None:
        """Take up what has emptied at another instance: the books know it too."""
        for row in await self._rows.unfinished():
            quiet = row.emptied_ms is not None or row.ended_ms is not None
            if quiet and row.state in ("recording", "ready") and row.id not in (self._current, *self._due):
                self._left.add(row.id)
                self._enqueue(row.id, 0.0)

    def returned(self, recording: str) -> None:
        """People are in again: stop working on it; `room_emptied` brings it back."""
        self._due.pop(recording, None)
        if self._current == recording:
            self._cancelled = True
            self._kill()

    @contextlib.asynccontextmanager
    async def quiet(self, recording: str) -> AsyncIterator[None]:
        """Keep off a recording inside the block: what was begun of it begins again afterwards."""
        self._quiet.add(recording)
        was_at_it = self._current == recording
        if was_at_it:
            self._cancelled = True
            self._kill()
        try:
            while self._current == recording:  # noqa: ASYNC110
                await asyncio.sleep(QUIET_POLL_S)
            yield
        finally:
            self._quiet.discard(recording)
            if was_at_it:
                self._enqueue(recording, 0.0)
            self._wake.set()

    async def idle(self) -> None:
        """Wait until nothing is due or running (tests and commands)."""
        await self._idle.wait()

    @property
    def waiting(self) -> int:
        """How many recordings are queued or in work (metrics)."""
        return len(self._due) + (self._current is not None)

    # --- the queue -------------------------------------------------------------------------------------

    def _enqueue(self, recording: str, delay_s: float) -> None:
        self._due[recording] = time.monotonic() + delay_s
        self._idle.clear()
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            recording = self._next_due()
            if recording is None:
                if not self._due:
                    self._idle.set()
                at = [at for recording, at in self._due.items() if recording not in self._quiet]
                wait = max(0.0, min(at) - time.monotonic()) if at else None
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait)
                continue
            del self._due[recording]
            self._current, self._cancelled = recording, False
            try:
                await self._finalise(recording)
            except Exception as error:
                log.error("finalising failed: %s", describe(error))
            finally:
                self._current = None

    def _next_due(self) -> str | None:
        now = time.monotonic()
        due = [(at, name) for name, at in self._due.items() if at <= now and name not in self._quiet]
        return min(due)[1] if due else None

    # --- one recording ---------------------------------------------------------------------------------

    async def _finalise(self, recording: str) -> None:
        row = await self._rows.get(recording)
        if row is None or not row.unfinished:
            return
        left = recording in self._left
        self._left.discard(recording)
        if left and row.ended_ms is None and await self._somebody_in(row.consultation_id):
            return  # somebody returned; the room's emptying brings it back
        await self._wait_closed(recording, row.epoch, JOURNAL_WAIT_S)
        waited = row.error_code if row.waits_for else None  # the page goes on saying what it waits for
        await self._rows.set_state(recording, "finalising", self._now_ms(), waited)
        code = "finaliser_failed"
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S)) - 1])
            if self._cancelled:
                break
            try:
                await self._attempt(row, last=attempt == TRIES - 1)
            except FinaliseError as error:
                code = error.code
                log.warning("attempt %d to finalise a recording failed: %s", attempt + 1, code)
            else:
                await asyncio.to_thread(self._objects.discard_scratch, recording)
                return
            if code in HOPELESS + AWAY + NO_ROOM:
                break
        await asyncio.to_thread(self._objects.discard_scratch, recording)
        if self._cancelled:
            await self._rows.set_state(recording, "recording", self._now_ms())
            return
        if code in AWAY + NO_ROOM:
            if row.error_code != code:
                log.error("a recording waits until it can be finished: %s", code)
            await self._rows.set_state(recording, "finalising", self._now_ms(), code)
            options = self._options
            self._enqueue(recording, options.store_retry_s if code in AWAY else options.room_retry_s)
            return
        log.error("a recording could not be finalised: %s", code)
        await self._rows.set_state(recording, "failed", self._now_ms(), code)

    async def _somebody_in(self, room: str) -> bool:
        told = self._occupied(room)
        return bool(await told if inspect.isawaitable(told) else told)

    async def _attempt(self, row: RecordingRow, last: bool) -> None:
        """Make a generation, or take up one that waits to be sent; read it back; commit it."""
        try:
            parcel = await self._waiting(row)
            if parcel is not None:
                number = parcel.generation
                await self._objects.resume(parcel)
            else:
                number = await self._make(row, last)
            generation = await self._read_back(row, number)
            await self._commit(row, number, generation)
        except (ObjectError, KeyStoreError) as error:
            raise FinaliseError(error.code) from error
        except OSError as error:
            code = error_code(error)
            raise FinaliseError(code if code in NO_ROOM else f"storage_{error.errno or 0}") from error

    async def _waiting(self, row: RecordingRow) -> Parcel | None:
        """A finished generation of all there is that the store did not take yet; older ones are dropped."""
        found: Parcel | None = None
        for parcel in await asyncio.to_thread(self._objects.waiting, row.id):
            if parcel.epochs == row.epoch and parcel.generation > row.generation:
                found = parcel
            elif parcel.generation == row.generation:
                await self._objects.settle(parcel)
            else:
                await self._objects.remove_generation(row.id, parcel.generation)
        return found

    async def _make(self, row: RecordingRow, last: bool) -> int:
        await self._restore(row.id)
        known = await asyncio.to_thread(self._objects.generations, row.id)
        number = max([row.generation, *known]) + 1
        # What fails stays: the next attempt goes on from the tracks that are finished.
        scratch = await asyncio.to_thread(self._scratch, row.id, number)
        witnessed = await self._rows.witnessed(row.id)
        books = Books(witnessed.begun, witnessed.present_until_ms)
        job = await asyncio.to_thread(self._job, row, number, scratch, books)
        result = await self._run_child(job)
        if result.get("failed") and (row.generation or not last):
            # one bad track does not stop the others, but first it gets its chance again
            raise FinaliseError("track_failed")
        await self._objects.publish(row.id, number, scratch, epochs=row.epoch)
        return number

    def _scratch(self, recording: str, number: int) -> Path:
        """The finaliser's place, if what it makes (about as much as the journal) will fit. Blocking."""
        needed = _size(self._options.journal_root / recording, "*.seg") + self._options.floor_bytes
        scratch = self._objects.scratch(recording, number)
        if self._objects.free_bytes() + _size(scratch, "*") < needed:
            raise FinaliseError("no_space")
        return scratch

    async def _read_back(self, row: RecordingRow, number: int) -> Generation:
        """Open everything that was published, from where it was published, to its last byte."""
        try:
            generation = await Generation.open(self._objects, self._keys, row.id, number)
            await generation.verify()
        except (GenerationError, OSError) as error:
            code = getattr(error, "code", "output_unreadable")
            if code not in AWAY:
                await self._objects.remove_generation(row.id, number)
            raise FinaliseError(code) from error
        return generation

    async def _commit(self, row: RecordingRow, number: int, generation: Generation) -> None:
        index = generation.index
        heads = await self._rows.heads(row.id)
        index["chain"] = witnessed_chain(str(index.get("chain")), generation.manifest, heads)
        await self._rows.commit_generation(
            row.id, number, row.epoch, generation.duration_ms, index, self._now_ms()
        )
        log.info("a recording is ready: generation %d, %d tracks", number, len(generation.tracks))
        await self.on_ready(row.id)
        apart = out_of_step(index)
        if apart:
            self.out_of_step += apart
            log.warning("%d tracks of a recording are out of step by more than %d ms", apart, SYNC_ALARM_MS)
        for parcel in await asyncio.to_thread(self._objects.waiting, row.id):
            await self._objects.settle(parcel)
        for other in await asyncio.to_thread(self._objects.generations, row.id):
            if other != number:
                await self._objects.remove_generation(row.id, other)

    def _job(self, row: RecordingRow, number: int, out_dir: Path, books: Books) -> bytes:
        keys = self._keys.keys(row.id)
        room_key = keys.pop(ROOM, None) or self._keys.seat_key(row.id, ROOM)
        epochs_root = self._options.journal_root / row.id
        epochs = sorted(
            int(path.name) for path in epochs_root.glob("*") if path.name.isdecimal() and path.is_dir()
        )
        job: dict[str, Any] = {
            "journal_root": str(self._options.journal_root.absolute()),
            "recording": row.id,
            "epochs": [epoch for epoch in epochs if epoch <= row.epoch],
            "keys": {seat: _base64(key) for seat, key in keys.items()},
            "room_key": _base64(room_key),
            "signing_key": _base64(self._keys.signing_key),
            "out_dir": str(out_dir),
            "generation": number,
            "session": {"started_at_ms": row.started_ms} | books.told(),
        }
        return json.dumps(job, separators=(",", ":")).encode() + b"\n"

    async def _run_child(self, job: bytes) -> dict[str, Any]:
        if self._cancelled:
            raise FinaliseError("cancelled")
        self._child = FinaliserChild(self._owner, self._options.command)
        try:
            return await self._child.run(job)
        finally:
            self._child = None

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()


def out_of_step(index: Mapping[str, Any]) -> int:
    """Tracks whose measured error against the same person's others is over SYNC_ALARM_MS."""
    return sum(int(track.get("sync_error_ms") or 0) > SYNC_ALARM_MS for track in index.get("tracks", []))


def witnessed_chain(chain: str, manifest: Mapping[str, Any], heads: Sequence[StoredHead]) -> str:
    """The finaliser's verdict, worsened where the database was once told of more than the journal holds."""
    ends = {(row["epoch"], row["file"]): row["head"] for row in manifest.get("segments", [])}
    for head in heads:
        end = ends.get((head.epoch, head.segment))
        if end is None or end["index"] < head.seal_index:
            return "cut_after_ack"
        if end["index"] == head.seal_index and end["hash"] != head.hash and chain == "intact":
            chain = "broken"
    return chain


def _size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern))


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")
