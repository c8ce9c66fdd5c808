"""Exports: asked for, listed, cancelled, handed out with a reason, destroyed with their keys.

Who may is asked before (`server.services.access`). An export has a key of its own in the key store; it goes
with any seat it contains. Destruction begins with the key: nothing that comes after can bring it back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from media.recordstore.sealed import HEADER, RangeOpener, SealedError, final_key
from server.domain.errors import Refused
from server.export.bundle_files import fingerprint
from server.export.making import Making
from server.export.plan import KINDS, LAYOUTS, Material, Order
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.objects import ObjectError, Objects, StoredObject
from server.services.access import Asking
from server.services.context import Context
from server.services.follow_up import Withheld, code_of, require_open
from server.services.teaching import require_teaching
from server.storage import audit, destructions, exports
from server.storage.exports import HELD, UNFINISHED, ExportRow
from server.storage.ids import new_id
from server.storage.recordings import Recordings

REASONS = ("treatment", "second_opinion", "patient_copy", "insurer", "legal", "quality", "teaching")
OBJECT, GENERATION = "export.sealed", 1
MOST_WAITING = 5
DAY_MS = 86_400_000


def export_key(keys: KeyStore, export: str, *, make: bool = False) -> tuple[bytes, bytes] | None:
    """Key and associated data of an export's file; None when it was destroyed."""
    try:
        key = keys.seat_key(export, ROOM) if make else keys.existing_key(export, ROOM)
    except KeyStoreError as error:
        if error.code == "key_destroyed":
            return None
        raise
    return None if key is None else final_key(key, export, GENERATION, "export")


class ExportReader:
    """The plaintext of a finished export, in pieces."""

    def __init__(self, row: ExportRow, stored: StoredObject, opener: RangeOpener) -> None:
        self.row = row
        self._stored = stored
        self._opener = opener
        self.size = opener.plain_size

    def places(self) -> range:
        """Numbers of the pieces."""
        return range(self._opener.segments)

    async def piece(self, number: int) -> bytes:
        """One piece. Raises SealedError, ObjectError."""
        start = self._opener.plain_start(number)
        low, high = self._opener.sealed_range(start, start + 1)
        return self._opener.open_segment(number, await self._stored.read(low, high - low))


class Exports:
    """`objects`: where exports lie, apart from recordings. `nudged` is told when there is something to do."""

    def __init__(
        self, context: Context, making: Making, keys: KeyStore, objects: Objects, days: int = 7
    ) -> None:
        self._context = context
        self.making = making
        self._keys = keys
        self.objects = objects
        self._days = days
        self.nudged: Callable[[], None] = lambda: None
        self.progress: Callable[[str], int] = lambda _export: 0
        self.held_back = False  # what waits, waits for the rooms to be empty

    async def ask(self, recording: str, order: Order, asking: Asking, kept_back: Withheld) -> ExportRow:
        """Queue an export, of what is not kept back. Raises Refused: bad_request, recording_not_ready,
        nothing_to_export, too_many_exports, teaching_missing, and the code of a track that is kept back.
        """
        material = await self.making.material(recording)
        if material is None or not material.settled:
            raise Refused("recording_not_ready")
        order = checked(order, material)
        if order.kind == "still":
            require_open(kept_back, material.contained(order))
        material = material.without(kept_back)
        seats = material.contained(order)
        if not seats:
            raise Refused("nothing_to_export")
        now_ms = self._context.now_ms()
        options = {name: getattr(order, name) for name in Order.__slots__ if name != "kind"}
        row = ExportRow(
            id=new_id(), recording_id=recording, kind=order.kind, options=options, seats=seats,
            state="queued", object=None, bytes=None, sha256=None, error_code=None, made_by=asking.account,
            made_ms=now_ms, finished_ms=None, expires_ms=None,
        )  # fmt: skip
        async with self._context.database.write() as tx:
            if order.teaching:
                await require_teaching(tx, recording)
            if await exports.unfinished_by(tx, asking.account) >= MOST_WAITING:
                raise Refused("too_many_exports")
            await exports.add(tx, row)
            await audit.append(
                tx, now_ms, _entry("export_asked", row, asking, asking.case_id, kind=order.kind)
            )
        self.nudged()
        return row

    @property
    def bundle_key(self) -> str:
        """Fingerprint of the public key that signs bundles."""
        return fingerprint(self._keys.verify_key)

    async def listed(self, recording: str, kept_back: Withheld) -> list[dict[str, Any]]:
        """Newest first; those that are over are told without their options."""
        async with self._context.database.read() as tx:
            rows = await exports.of_recording(tx, recording)
        return [self.described(row, kept_back) for row in rows]

    def described(self, row: ExportRow, kept_back: Withheld) -> dict[str, Any]:
        """What a page is told of an export."""
        told: dict[str, Any] = {
            "id": row.id, "kind": row.kind, "state": row.state, "seats": row.seats, "bytes": row.bytes,
            "sha256": row.sha256, "error_code": row.error_code, "made_by": row.made_by,
            "made_at_ms": row.made_ms, "expires_at_ms": row.expires_ms,
            "layout": row.options["layout"], "from_ms": row.options["from_ms"], "to_ms": row.options["to_ms"],
        }  # fmt: skip
        told["teaching"] = for_teaching(row)
        told["withheld"] = code_of(kept_back, row.seats)
        told["progress"] = self.progress(row.id) if row.state == "running" else None
        told["waits_for_rooms"] = self.held_back and row.state in UNFINISHED
        return told

    async def cancel(self, recording: str, export: str, asking: Asking) -> None:
        """End one that is not finished, or destroy one that is. Raises Refused not_found."""
        row = await self._of(recording, export)
        if row.state in UNFINISHED:
            await self._end(row, "cancelled", UNFINISHED, "export_cancelled", asking)
        elif row.state == "ready":
            await self._end(row, "destroyed", HELD, "export_destroyed", asking, cause="asked")

    async def open(
        self, recording: str, export: str, reason: str, asking: Asking, kept_back: Withheld
    ) -> ExportReader:
        """For one download, which is audited. A file without names is for teaching and nothing else, and no
        other file is. Raises Refused: not_found, reason_missing, export_gone, teaching_missing, and the code
        of what is kept back of it.
        """
        row = await self._of(recording, export)
        await self._require_let(row, kept_back)
        if reason not in REASONS or (reason == "teaching") is not for_teaching(row):
            raise Refused("reason_missing")
        reader = await self._reader(row)
        async with self._context.database.write() as tx:
            entry = _entry("export_downloaded", row, asking, asking.case_id, kind=row.kind, reason=reason)
            await audit.append(tx, self._context.now_ms(), entry)
        return reader

    async def still_there(self, recording: str, export: str, kept_back: Withheld) -> None:
        """Asked between the pieces of a download. Raises Refused export_gone, or as `open`."""
        row = await self._of(recording, export)
        await self._require_let(row, kept_back)
        gone = await asyncio.to_thread(export_key, self._keys, export) is None
        if gone or await self.blocked(row) or row.state != "ready" or self._expired(row):
            raise Refused("export_gone")

    async def _reader(self, row: ExportRow) -> ExportReader:
        try:
            found = await asyncio.to_thread(export_key, self._keys, row.id)
            if await self.blocked(row):
                raise Refused("export_gone")
            if row.state != "ready" or found is None or self._expired(row):
                raise Refused("export_gone")
            stored = await self.objects.open(row.id, GENERATION, OBJECT)
            opener = RangeOpener(*found, await stored.read(0, HEADER), stored.size)
        except (ObjectError, SealedError, KeyStoreError) as error:
            raise Refused("export_gone") from error
        return ExportReader(row, stored, opener)

    async def _require_let(self, row: ExportRow, kept_back: Withheld) -> None:
        """By the patient, as they have it now. Raises Refused as `open` does."""
        require_open(kept_back, row.seats)
        if for_teaching(row):
            async with self._context.database.read() as tx:
                await require_teaching(tx, row.recording_id)

    async def blocked(self, row: ExportRow) -> bool:
        """Whether somebody in it has withdrawn, although a hold may keep it from being destroyed yet."""
        async with self._context.database.read() as tx:
            blocked = await destructions.blocked(tx, row.recording_id)
        return bool(blocked & {*row.seats, destructions.WHOLE})

    def _expired(self, row: ExportRow) -> bool:
        return row.expires_ms is not None and self._context.now_ms() >= row.expires_ms

    async def destroy_of(self, recording: str, seat: str | None) -> list[str]:
        """Every export with something of this seat goes, or (without one) every one of the recording, queued
        and running ones too; their ids.
        """
        cause = "recording_expired" if seat is None else "seat_withdrawn"
        async with self._context.database.read() as tx:
            rows = [row for row in await exports.held(tx, recording) if seat is None or seat in row.seats]
        for row in rows:
            await self._end(row, "destroyed", HELD, "export_destroyed", None, cause=cause)
        return [row.id for row in rows]

    async def end_withdrawn(self, row: ExportRow) -> None:
        """One that is not finished, of which a seat or the recording went meanwhile, a hold or not."""
        async with self._context.database.read() as tx:
            whole = destructions.WHOLE in await destructions.blocked(tx, row.recording_id)
        cause = "recording_expired" if whole else "seat_withdrawn"
        await self._end(row, "destroyed", UNFINISHED, "export_destroyed", None, cause=cause)

    async def tidy(self, now_ms: int) -> None:
        """Destroy what has expired, and whatever a crash left of those that are over."""
        async with self._context.database.read() as tx:
            expired = [r for r in await exports.held(tx) if r.expires_ms and r.expires_ms <= now_ms]
            over = await exports.over(tx)
        for row in expired:
            await self._end(row, "destroyed", HELD, "export_destroyed", None, cause="expired")
        for export in over:
            if await asyncio.to_thread(self._has_key, export):
                await self._shred(export)

    def _has_key(self, export: str) -> bool:
        return bool(self._keys.seats(export))

    async def _end(
        self, row: ExportRow, state: str, from_states: tuple[str, ...], action: str,
        asking: Asking | None, **detail: str,
    ) -> None:  # fmt: skip
        await asyncio.to_thread(self._keys.destroy, row.id, ROOM)
        now_ms = self._context.now_ms()
        case_id = asking.case_id if asking else await self.making.case_of(row.recording_id)
        async with self._context.database.write() as tx:
            if await exports.change(tx, row.id, from_states, state=state, finished_ms=now_ms):
                entry = _entry(action, row, asking, case_id, kind=row.kind, **detail)
                await audit.append(tx, now_ms, entry)
        self.nudged()
        await self._shred(row.id)

    async def _shred(self, export: str) -> None:
        await asyncio.to_thread(self._keys.destroy, export, ROOM)
        with contextlib.suppress(ObjectError):
            await self.objects.remove_generation(export, GENERATION)

    async def _of(self, recording: str, export: str) -> ExportRow:
        async with self._context.database.read() as tx:
            row = await exports.by_id(tx, export)
        if row is None or row.recording_id != recording:
            raise Refused("not_found")
        return row

    def expires_ms(self, finished_ms: int) -> int:
        """Until when an export finished then is kept."""
        return finished_ms + self._days * DAY_MS


def for_teaching(row: ExportRow) -> bool:
    return bool(row.options.get("teaching"))


def checked(order: Order, material: Material) -> Order:
    """The order with its times inside the recording. Raises Refused bad_request: also for a bundle without
    names, which there is none of.
    """
    end = int(material.index.get("duration_ms") or 0)
    if order.kind not in KINDS or order.layout not in LAYOUTS:
        raise Refused("bad_request")
    if order.kind == "film":
        return replace(order, from_ms=0, to_ms=end, track="")
    if order.kind == "bundle":
        if order.teaching:
            raise Refused("bad_request")
        return replace(order, from_ms=0, to_ms=end, track="")
    if order.kind == "clip" and not 0 <= order.from_ms < min(order.to_ms, end):
        raise Refused("bad_request")
    if order.kind == "still" and not 0 <= order.from_ms <= end:
        raise Refused("bad_request")
    to_ms = min(order.to_ms, end) if order.kind == "clip" else order.from_ms
    return replace(order, to_ms=to_ms)


def _entry(
    action: str, row: ExportRow, asking: Asking | None, case_id: str | None, **detail: str
) -> audit.Entry:
    """`asking` None: the server itself."""
    return audit.Entry(
        action=action,
        subject_type="export",
        subject_id=row.id,
        address=asking.address if asking else "",
        account_id=asking.account if asking else None,
        case_id=case_id,
        detail={"recording": row.recording_id, **detail},
    )


def build_exports(context: Context, rows: Recordings, keys: KeyStore, recorded: Objects) -> Exports:
    """The use cases over a data directory, for the server and for commands. `recorded`: where tracks lie."""
    making = Making(context.database, rows, keys, recorded)
    objects = Objects(context.settings.exports_dir)
    return Exports(context, making, keys, objects, context.settings.export_days)
