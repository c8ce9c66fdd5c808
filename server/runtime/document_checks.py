"""What happens to a document once its last byte is kept: hashed, scanned, looked into; and what has to go.

The books are the queue, so a killed server takes up what it had begun. The hash is taken over what the store
gives back. Others see a document only after all of it, and a person said so where a DICOM names a patient.
It must not decide who sees what, nor open a file itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from typing import Any

from server.decode.decoder import Decoder
from server.decode.inspection import Inspection
from server.domain.documents import Document, State
from server.domain.errors import Refused
from server.runtime.bucket import ObjectError
from server.runtime.document_moves import DocumentMoves
from server.runtime.document_store import DocumentGoneError, DocumentReader, DocumentStore
from server.runtime.scanning import ScanError, Scanner
from server.runtime.tasks import TaskOwner, describe
from server.services.context import Context
from server.services.document_uploads import entry
from server.storage import audit, documents, holds

log = logging.getLogger("hyeopjin.runtime.documents")

IDLE_S = 5.0
"""So often the books are looked at unasked: another instance may have taken the last byte."""
AGAIN_S = 30.0
SCAN_AGAIN_MS = 10 * 60_000
HASH_AT_ONCE = 1024 * 1024
HOUR_MS = 3_600_000


class Waiting(Exception):  # noqa: N818 - nothing is wrong with the document
    """It cannot be judged now: a scanner, a decoder or its bytes are away. `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DocumentChecks:
    """Construct, `start`, …, `stop`. One per installation: several would do the work twice."""

    def __init__(
        self,
        context: Context,
        store: DocumentStore,
        decoder: Decoder,
        scanner: Scanner | None,
        moves: DocumentMoves,
        again_s: float = AGAIN_S,
    ) -> None:
        self._context = context
        self._store = store
        self._decoder = decoder
        self._scanner = scanner
        self.moves = moves
        self._again_ms = round(again_s * 1000)
        self._owner = TaskOwner("documents")
        self._wake = asyncio.Event()
        self._not_before: dict[str, int] = {}

    async def start(self) -> None:
        await self._forget_again()
        self._owner.spawn(self._run(), "checks")
        self._owner.spawn(self.moves.run(), "moves")

    async def stop(self) -> None:
        """What was not judged is taken up at the next start. Idempotent."""
        await self._owner.close()

    def nudge(self) -> None:
        """Something came, or is to go."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.turn()
            except Exception as error:
                log.error("documents could not be looked after: %s", describe(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), IDLE_S)

    async def turn(self) -> None:
        """Everything that is to be done now: judge, expire, destroy, move out, scan one that was not."""
        now_ms = self._context.now_ms()
        await self._expire(now_ms)
        await self._destroy()
        async with self._context.database.read() as tx:
            waiting = await documents.in_state(tx, State.CHECKING)
        for row in waiting:
            if self._not_before.get(row.id, 0) <= now_ms:
                await self._guarded(row)
        if await self._scan_later(now_ms):
            self.nudge()  # the next one after what came meanwhile
        await self._destroy()

    async def _guarded(self, row: Document) -> None:
        """One that cannot be judged does not stop the others."""
        try:
            await self._judge(row)
            self._not_before.pop(row.id, None)
        except Waiting as waiting:
            log.warning("a document waits: %s", waiting.code)
            self._not_before[row.id] = self._context.now_ms() + self._again_ms
        except Exception as error:
            log.error("a document could not be judged: %s", describe(error))
            self._not_before[row.id] = self._context.now_ms() + self._again_ms

    async def _judge(self, row: Document) -> None:
        async with self._context.database.read() as tx:
            parts = await documents.parts_of(tx, row.id)
        await asyncio.to_thread(self._store.tidy_now, row.id, parts)
        try:
            reader = await asyncio.to_thread(self._store.reader_now, row.case_id, row.id, parts)
            with contextlib.closing(reader):
                values = await self._looked_at(row, reader)
        except DocumentGoneError as gone:
            if gone.code == "document_unreadable":
                raise Waiting(gone.code) from None
            values = "document_damaged"
        if isinstance(values, str):
            await self._refuse(row, values)
            return
        await self._settle(row, values)
        self.moves.nudge()

    async def _looked_at(self, row: Document, reader: DocumentReader) -> dict[str, Any] | str:
        """The columns to set, or why it is not taken."""
        sha256 = await asyncio.to_thread(_sha256, reader)
        if row.wanted_sha256 not in ("", sha256):
            return "document_different"
        scan = await self._scanned(reader, required=self._context.settings.documents.scan_required)
        values: dict[str, Any] = {"sha256": sha256, "scan": scan, "scanned_ms": self._context.now_ms()}
        if scan == "infected":
            return {**values, "state": State.QUARANTINED.value}
        try:
            found = await self._decoder.inspect(reader, row.name)
        except Refused as refused:
            raise Waiting(refused.code) from None
        except NotImplementedError:
            raise Waiting("decoder_unavailable") from None
        if found.refusal is not None:
            return found.refusal
        return {**values, **self._told_by(found)}

    def _told_by(self, found: Inspection) -> dict[str, Any]:
        dicom = found.dicom.model_dump() if found.dicom else {}
        people = [one for one in dicom.get("patients", []) if any(one.values())]
        state = State.CONFIRM if people else State.READY
        return {
            "state": state.value,
            "ready_ms": None if people else self._context.now_ms(),
            "media_type": found.media_type or "",
            "form": found.kind or "",
            "pages": found.pages,
            "details": {
                "width": found.width,
                "height": found.height,
                "duration_ms": found.duration_ms,
                "studies": [
                    {name: study[name] for name in ("date", "description", "institution")}
                    for study in dicom.get("studies", [])
                ],
                "series": dicom.get("series", []),
            },
            "patients": people,
            "page_order": found.order,
        }

    async def _scanned(self, reader: DocumentReader, *, required: bool) -> str:
        if self._scanner is None:
            if required:
                raise Waiting("scanner_away")
            return "not_scanned"
        try:
            return "infected" if await self._scanner.infected(reader) else "clean"
        except ScanError as error:
            if required:
                raise Waiting(error.code) from None
            log.warning("a document was not scanned: %s", error.code)
            return "not_scanned"

    async def _settle(self, row: Document, values: dict[str, Any]) -> None:
        now_ms, state = self._context.now_ms(), str(values["state"])
        async with self._context.database.write() as tx:
            if await documents.change(tx, row.id, [State.CHECKING], **values):
                await documents.share(tx, row.id, now_ms)
                detail = {"scan": values["scan"], "sha256": values["sha256"]}
                await audit.append(tx, now_ms, entry(f"document_{state}", row, None, **detail))

    async def _refuse(self, row: Document, code: str) -> None:
        now_ms = self._context.now_ms()
        values = {"state": State.REFUSED.value, "refused": code, "destroy": True}
        async with self._context.database.write() as tx:
            if await documents.change(tx, row.id, [State.CHECKING], **values):
                await audit.append(tx, now_ms, entry("document_refused", row, None, code=code))

    async def _expire(self, now_ms: int) -> None:
        """Uploads that nobody went on with."""
        before_ms = now_ms - self._context.settings.documents.upload_hours * HOUR_MS
        async with self._context.database.read() as tx:
            over = await documents.abandoned(tx, before_ms)
        for row in over:
            async with self._context.database.write() as tx:
                fresh = await documents.by_id(tx, row.id)
                if fresh is None or fresh.touched_ms >= before_ms:
                    continue
                values = {"state": State.EXPIRED.value, "destroy": True}
                if await documents.change(tx, row.id, [State.UPLOADING], **values):
                    await audit.append(tx, now_ms, entry("document_expired", row, None))

    async def _destroy(self) -> None:
        """Key first, then bytes, then the books say so; not while a hold stands on the case."""
        async with self._context.database.read() as tx:
            going = await documents.to_destroy(tx)
            held = {hold.case_id for hold in await holds.active(tx)} if going else set()
        for row in going:
            if row.case_id in held and row.state is State.WITHDRAWN:
                continue
            async with self._context.database.read() as tx:
                parts = await documents.parts_of(tx, row.id)
            try:
                await self._store.destroy(row.case_id, row.id, parts)
            except (ObjectError, OSError) as error:
                log.error("a document's bytes are still there: %s", describe(error))
                continue
            now_ms = self._context.now_ms()
            async with self._context.database.write() as tx:
                if await documents.change(tx, row.id, [row.state], destroyed_ms=now_ms):
                    await documents.drop_parts(tx, row.id)
                    await audit.append(tx, now_ms, entry("document_destroyed", row, None))

    async def _forget_again(self) -> None:
        """Keys of documents that are gone by the books, where a backup of the key store brought one back."""
        days = self._context.settings.key_backup_days + 1
        async with self._context.database.read() as tx:
            gone = await documents.destroyed_since(tx, self._context.now_ms() - days * 24 * HOUR_MS)
        for row in gone:
            if not await asyncio.to_thread(self._store.destroyed, row.case_id, row.id):
                log.warning("the key of a destroyed document had come back")
                with contextlib.suppress(ObjectError):
                    await self._store.destroy(row.case_id, row.id, [])

    async def _scan_later(self, now_ms: int) -> bool:
        """One that was taken while no scanner answered; whether there was one."""
        if self._scanner is None:
            return False
        async with self._context.database.read() as tx:
            row = await documents.next_unscanned(tx, now_ms - SCAN_AGAIN_MS)
            parts = await documents.parts_of(tx, row.id) if row else []
        if row is None:
            return False
        values: dict[str, Any] = {"scanned_ms": self._context.now_ms()}
        with contextlib.suppress(DocumentGoneError):  # tried as well
            reader = await asyncio.to_thread(self._store.reader_now, row.case_id, row.id, parts)
            with contextlib.closing(reader):
                values["scan"] = await self._scanned(reader, required=False)
        if infected := values.get("scan") == "infected":
            values["state"] = State.QUARANTINED.value
        async with self._context.database.write() as tx:
            changed = await documents.change(tx, row.id, [State.READY], **values)
            if changed and infected:
                await audit.append(tx, now_ms, entry("document_quarantined", row, None, scan="infected"))
        return True


def _sha256(reader: DocumentReader) -> str:
    digest = hashlib.sha256()
    for start in range(0, reader.size, HASH_AT_ONCE):
        digest.update(reader.read_now(start, HASH_AT_ONCE))
    return digest.hexdigest()
