"""Uploads: begun, received piece by piece, gone on with after any cut, given up.

What comes is sealed as it comes; the offset in the books is what is surely kept, and only it counts: a
connection that believes to be elsewhere is told where to go on. It must not look into a file.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final

from server.domain.documents import (
    DEFAULT_VISIBILITY,
    KINDS,
    VISIBILITY,
    Document,
    Part,
    Side,
    State,
    clean_file_name,
)
from server.domain.errors import Refused
from server.runtime.document_store import DocumentGoneError, DocumentStore, PartWriter
from server.services.access import Asking
from server.services.context import Context
from server.storage import accounts, audit, documents
from server.storage.ids import new_id

PART_BYTES: Final = 8 * 1024 * 1024
"""So much is sealed into one file; a killed server loses less than that of what was sent."""
LEAST_BYTES: Final = 64 * 1024
"""A part that a cut has ended is kept from here on: smaller ones would be many."""
SPARE_BYTES: Final = 64 * 1024 * 1024
"""Left on the disk beyond the recordings' floor: an upload can wait, a recording cannot."""
FULL = (errno.ENOSPC, errno.EDQUOT)


class BrokenOffError(Exception):
    """What is being received has ended before its time: the line was cut, or nothing came for long."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody is about to bring. `request`: the page's own id, so that asking twice begins once."""

    name: str
    size: int
    kind: str
    sha256: str = ""
    visibility: str = DEFAULT_VISIBILITY
    patient_copy: bool = False
    request: str = ""
    side: Side = Side.REFERRING


class Uploads:
    """`nudged` is told when an upload is whole."""

    def __init__(self, context: Context, store: DocumentStore) -> None:
        self._context = context
        self._store = store
        self.nudged: Callable[[], None] = lambda: None

    async def begin(self, wish: Wish, asking: Asking) -> Document:
        """Raises Refused: bad_request, document_empty, document_too_large, documents_full, too_many_uploads,
        storage_full.
        """
        self._require_takable(wish)
        await self._require_space(wish.size)
        now_ms, request = self._context.now_ms(), wish.request or new_id()
        made = Document(
            id=new_id(), case_id=asking.case_id, request=request, name=clean_file_name(wish.name),
            kind=wish.kind, visibility=wish.visibility, patient_copy=wish.patient_copy,
            state=State.UPLOADING, size=wish.size, received=0, wanted_sha256=wish.sha256, sha256="",
            made_by=asking.account, made_ms=now_ms, touched_ms=now_ms, side=wish.side,
        )  # fmt: skip
        async with self._context.database.write() as tx:
            earlier = await documents.by_request(tx, asking.account, request)
            if earlier is not None:
                if (earlier.case_id, earlier.size, earlier.name) != (made.case_id, made.size, made.name):
                    raise Refused("request_reused")
                return earlier
            limits = self._context.settings.documents
            if await documents.unfinished_by(tx, asking.account) >= limits.uploads_per_account:
                raise Refused("too_many_uploads")
            count, held = await documents.held_bytes(tx, case_id=asking.case_id)
            account = await accounts.by_id(tx, asking.account)
            made = replace(made, site_id=account.site_id if account else "")
            _, of_site = await documents.held_bytes(tx, site_id=made.site_id)
            full = held + wish.size > limits.case_bytes or of_site + wish.size > limits.site_bytes
            if full or count >= limits.max_case_files:
                raise Refused("documents_full")
            await documents.add(tx, made)
            await audit.append(
                tx, now_ms, entry("document_begun", made, asking, kind=made.kind, side=made.side.value)
            )
        return made

    async def state(self, document_id: str, asking: Asking) -> Document:
        """Where an own upload stands. Raises Refused not_found."""
        async with self._context.database.read() as tx:
            return self._own(await documents.by_id(tx, document_id), asking)

    async def receive(
        self, document_id: str, offset: int, pieces: AsyncIterator[bytes], asking: Asking
    ) -> Document:
        """Keep what comes from `offset` on; the document as it then is.

        `pieces` may end early by raising BrokenOffError: what came is kept. Raises Refused: not_found,
        upload_offset, upload_over, bad_request (more than was said), storage_full.
        """
        async with self._context.database.read() as tx:
            row = self._own(await documents.by_id(tx, document_id), asking)
            parts = await documents.parts_of(tx, document_id)
        if row.state is not State.UPLOADING or row.received != offset:
            raise await self.overtaken(document_id, asking)
        incoming = _Incoming(self, row, len(parts) + 1, asking)
        try:
            await incoming.take(pieces)
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise Refused("storage_full") from error
        except DocumentGoneError:
            raise Refused("upload_over") from None
        finally:
            await incoming.close()
        return await self.state(document_id, asking)

    async def cancel(self, document_id: str, asking: Asking) -> None:
        """Give up an own upload. Raises Refused not_found, upload_over."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            row = self._own(await documents.by_id(tx, document_id), asking)
            values = {"state": State.CANCELLED.value, "destroy": True, "touched_ms": now_ms}
            if not await documents.change(tx, row.id, [State.UPLOADING], **values):
                raise Refused("upload_over")
            await audit.append(tx, now_ms, entry("document_cancelled", row, asking))
        self.nudged()

    async def keep(self, row: Document, writer: PartWriter, start: int, asking: Asking) -> Part | None:
        """Name a finished part in the books; None when the upload goes on elsewhere by now."""
        part = await asyncio.to_thread(writer.commit, start)
        now_ms, whole = self._context.now_ms(), start + part.size == row.size
        async with self._context.database.write() as tx:
            kept = await documents.add_part(tx, row.id, part, now_ms)
            if kept and whole:
                values = {"state": State.CHECKING.value, "complete_ms": now_ms}
                await documents.change(tx, row.id, [State.UPLOADING], **values)
                await audit.append(tx, now_ms, entry("document_complete", row, asking, bytes=row.size))
        if not kept:
            await asyncio.to_thread(self._store.forget_now, row.id, part)
            return None
        if whole:
            self.nudged()
        return part

    async def overtaken(self, document_id: str, asking: Asking) -> Refused:
        """What a connection is told that another one has gone on in its place."""
        row = await self.state(document_id, asking)
        if row.state is State.UPLOADING:
            return Refused("upload_offset", offset=row.received)
        return Refused("upload_over")

    async def new_part(self, row: Document, number: int) -> PartWriter:
        """Raises Refused storage_full, OSError, DocumentGoneError."""
        await self._require_space(min(PART_BYTES, row.size - row.received))
        return await asyncio.to_thread(self._store.begin_now, row.case_id, row.id, number)

    def _require_takable(self, wish: Wish) -> None:
        limits = self._context.settings.documents
        if wish.kind not in KINDS or wish.visibility not in VISIBILITY or not clean_file_name(wish.name):
            raise Refused("bad_request")
        if wish.size == 0:
            raise Refused("document_empty")
        if wish.size > limits.file_bytes:
            raise Refused("document_too_large", most_bytes=limits.file_bytes)

    async def _require_space(self, size: int) -> None:
        floor = self._context.settings.disk_floor_bytes
        free = await asyncio.to_thread(self._store.free_now)
        if free < size + floor + min(SPARE_BYTES, floor):
            raise Refused("storage_full")

    @staticmethod
    def _own(row: Document | None, asking: Asking) -> Document:
        if row is None or row.case_id != asking.case_id or row.made_by != asking.account:
            raise Refused("not_found")
        return row


class _Incoming:
    """One connection's pieces on their way into parts."""

    def __init__(self, uploads: Uploads, row: Document, number: int, asking: Asking) -> None:
        self._uploads = uploads
        self._row = row
        self._number = number
        self._asking = asking
        self._at = row.received  # kept so far
        self._writer: PartWriter | None = None

    async def take(self, pieces: AsyncIterator[bytes]) -> None:
        try:
            async for piece in pieces:
                await self._add(piece)
        except BrokenOffError:
            if self._writer is None or self._writer.size < LEAST_BYTES:
                return
        await self._keep()

    async def _add(self, piece: bytes) -> None:
        size = len(piece) + (self._writer.size if self._writer else 0)
        # so many small pieces as never come from a page
        if self._at + size > self._row.size or self._number > self._row.size // LEAST_BYTES + 1024:
            raise Refused("bad_request")
        if self._writer is None:
            self._writer = await self._uploads.new_part(self._row, self._number)
        await asyncio.to_thread(self._writer.write, piece)
        if self._writer.size >= PART_BYTES or self._at + self._writer.size == self._row.size:
            await self._keep()

    async def _keep(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        part = await self._uploads.keep(self._row, writer, self._at, self._asking)
        if part is None:
            raise await self._uploads.overtaken(self._row.id, self._asking)
        self._at += part.size
        self._number += 1

    async def close(self) -> None:
        """What was not kept is dropped."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await asyncio.to_thread(writer.discard)


def entry(action: str, row: Document, asking: Asking | None, **detail: int | str) -> audit.Entry:
    """An entry of the audit chain about a document; no name of a file or a person."""
    return audit.Entry(
        action,
        "document",
        row.id,
        asking.address if asking else "",
        account_id=asking.account if asking else None,
        case_id=row.case_id,
        detail=detail,
    )
