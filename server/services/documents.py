"""Documents of a case as people meet them: listed, looked at, downloaded, confirmed, changed, taken back.

Who may ask is decided before (routes); which file, here, by its visibility. Every look and every download is
in the audit chain. Bytes come from the store; what a file shows, from the decoder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from server.decode.decoder import Decoder
from server.domain import document_patient as patient_in
from server.domain.document_kinds import wanted
from server.domain.documents import (
    DOWNLOAD_REASONS,
    KINDS,
    MAX_WORDS,
    VISIBILITY,
    WITHDRAW_REASONS,
    Document,
    Side,
    State,
    Viewer,
    changes,
    destroyed_by,
    sees,
    withdraws,
)
from server.domain.errors import Refused
from server.domain.referral import clean_text
from server.runtime.document_store import DocumentGoneError, DocumentReader, DocumentStore
from server.services.access import Asking
from server.services.context import Context
from server.services.document_retention import DocumentRetention
from server.services.document_telling import around, require_open, told, was_sent
from server.services.document_uploads import PART_BYTES, entry
from server.services.looks import Looks
from server.storage import audit, cases, documents, patients
from server.storage.database import Transaction

STEP, WIDEST = 256, 2048
"""Widths of previews, in steps: what was made for one screen is found for the next."""
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Change:
    """What is set anew; None: as it was."""

    kind: str | None = None
    visibility: str | None = None
    patient_copy: bool | None = None


class Documents:
    """`nudged` is told when something is to be destroyed."""

    def __init__(self, context: Context, store: DocumentStore, decoder: Decoder) -> None:
        self._context = context
        self._store = store
        self._decoder = decoder
        self._kept = DocumentRetention(context)
        self._looks = Looks(context)
        self.nudged: Callable[[], None] = lambda: None

    async def listed(self, viewer: Viewer, asking: Asking, *, adds: bool) -> dict[str, Any]:
        """What the viewer may know of, oldest first, and what else a page needs. Audited."""
        limits = self._context.settings.documents
        async with self._context.database.read() as tx:
            rows = [row for row in await documents.of_case(tx, asking.case_id) if sees(viewer, row)]
            case = await cases.by_id(tx, asking.case_id)
            about = await around(tx, asking.case_id, rows)
            kept = await self._kept.told(tx, asking.case_id)
            _, held = await documents.held_bytes(tx, case_id=asking.case_id)
            unfinished = await documents.unfinished_by(tx, asking.account)
        listed = audit.Entry(
            "documents_listed", "case", asking.case_id, asking.address,
            account_id=asking.account, case_id=asking.case_id,
        )  # fmt: skip
        await self._looks.note(listed, asking.account, asking.case_id)
        asked = wanted(case.specialty if case else "", limits.required, rows)
        return {
            "documents": [told(row, viewer, about, self._left_ms) for row in rows],
            "wanted": asked if viewer.side is Side.REFERRING else [],
            "side": viewer.side.value,
            "kept": kept,
            "limits": {
                "file_bytes": limits.file_bytes,
                "left_bytes": max(0, limits.case_bytes - held),
                "left_uploads": max(0, limits.uploads_per_account - unfinished),
                "piece_bytes": PART_BYTES,
            },
            "may": {"add": adds},
            "kinds": list(KINDS),
            "visibilities": list(VISIBILITY),
            "reasons": {"download": list(DOWNLOAD_REASONS), "withdraw": list(WITHDRAW_REASONS)},
        }

    async def look(self, viewer: Viewer, document_id: str, asking: Asking) -> dict[str, Any]:
        """One with its details; audited. Raises Refused not_found."""
        async with self._context.database.read() as tx:
            row = await _seen(tx, viewer, document_id, asking.case_id)
            about = await around(tx, asking.case_id, [row])
        await self._note_look(row, asking)
        shown = told(row, viewer, about, self._left_ms)
        opened = shown["may"]["download"] or shown["may"]["confirm"]
        return {**shown, "details": dict(row.details) if opened else {}}

    async def preview(self, viewer: Viewer, document_id: str, page: int, width: int, asking: Asking) -> bytes:
        """A picture of a page, as the decoder makes it or has made it before; audited.

        Raises Refused: not_found, document_waiting, document_quarantined, document_gone, page_unknown,
        no_preview, decoder_unavailable.
        """
        row, reader = await self._opened(viewer, document_id, asking.case_id)
        try:
            if not 0 <= page < row.pages:
                raise Refused("page_unknown" if row.pages else "no_preview")
            await self._note_look(row, asking)
            return await self._picture(row, reader, page, min(max(-(-width // STEP) * STEP, STEP), WIDEST))
        except DocumentGoneError:
            raise Refused("document_gone") from None
        finally:
            reader.close()

    async def _picture(self, row: Document, reader: DocumentReader, page: int, width: int) -> bytes:
        where = (row.case_id, row.id, page, width)
        found = await asyncio.to_thread(self._store.preview_now, *where)
        if found is not None:
            return found
        made = await self._decoder.preview(reader, page, width, order=row.page_order)
        await asyncio.to_thread(self._store.keep_preview_now, *where, made)
        return made

    async def open(
        self, viewer: Viewer, document_id: str, reason: str, asking: Asking
    ) -> tuple[Document, DocumentReader]:
        """For one download, which is audited; the caller closes the reader.

        Raises Refused: not_found, reason_missing, not_for_patient, document_waiting, document_quarantined,
        document_gone.
        """
        if reason not in DOWNLOAD_REASONS:
            raise Refused("reason_missing")
        row, reader = await self._opened(viewer, document_id, asking.case_id)
        if reason == "patient_copy" and not row.patient_copy:
            reader.close()
            raise Refused("not_for_patient")
        await self._note(entry("document_downloaded", row, asking, reason=reason))
        return row, reader

    async def still_there(self, viewer: Viewer, document_id: str, case_id: str) -> None:
        """Asked between the pieces of a download. Raises Refused."""
        async with self._context.database.read() as tx:
            row = await _seen(tx, viewer, document_id, case_id)
            await require_open(tx, viewer, row)

    async def confirm(
        self, viewer: Viewer, document_id: str, asking: Asking, *, same: bool
    ) -> dict[str, Any]:
        """Somebody has looked whom it names. Raises Refused: not_found, forbidden, document_gone."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            row = await _seen(tx, viewer, document_id, asking.case_id)
            if not changes(viewer, row):
                raise Refused("forbidden")
            patient = await patients.of_case(tx, asking.case_id)
            wrong = patient_in.differs(patient_in.found(row.patients), patient.person) if patient else []
            if same:
                values: dict[str, Any] = {"state": State.READY.value, "ready_ms": now_ms}
            else:
                values = _withdrawal("wrong_patient", "", asking, now_ms, destroy=True)
            if not await documents.change(tx, row.id, [State.CONFIRM], **values):
                raise Refused("document_gone")
            await documents.share(tx, row.id, now_ms)
            noted = entry("document_confirmed", row, asking, same=int(same), differs=len(wrong))
            await audit.append(tx, now_ms, noted)
        self.nudged()
        return await self._told_now(viewer, document_id, asking.case_id)

    async def change(self, viewer: Viewer, document_id: str, to: Change, asking: Asking) -> dict[str, Any]:
        """Kind, who sees it, whether the patient gets it. Raises Refused: not_found, forbidden,
        bad_request, document_gone.
        """
        given = {name: value for name in Change.__slots__ if (value := getattr(to, name)) is not None}
        if to.kind not in (None, *KINDS) or to.visibility not in (None, *VISIBILITY):
            raise Refused("bad_request")
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            row = await _seen(tx, viewer, document_id, asking.case_id)
            if not changes(viewer, row):
                raise Refused("forbidden")
            changed = {name: value for name, value in given.items() if getattr(row, name) != value}
            if changed:
                alive = [State.UPLOADING, State.CHECKING, State.CONFIRM, State.READY]
                if not await documents.change(tx, row.id, alive, **changed):
                    raise Refused("document_gone")
                await documents.share(tx, row.id, now_ms)
                told = {
                    name: int(value) if name == "patient_copy" else value for name, value in changed.items()
                }
                await audit.append(tx, now_ms, entry("document_changed", row, asking, **told))
        return await self._told_now(viewer, document_id, asking.case_id)

    async def withdraw(
        self, viewer: Viewer, document_id: str, reason: str, words: str, asking: Asking
    ) -> dict[str, Any]:
        """Take one back that came by mistake. Raises Refused: not_found, forbidden, reason_missing,
        document_gone.
        """
        said = clean_text(words, MAX_WORDS).strip()
        if reason not in WITHDRAW_REASONS or (reason == "other" and not said):
            raise Refused("reason_missing")
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            row = await _seen(tx, viewer, document_id, asking.case_id)
            sent = was_sent(row, await documents.cited(tx, asking.case_id))
            if not withdraws(viewer, row, sent=sent):
                raise Refused("forbidden" if row.state is State.READY else "document_gone")
            destroy = destroyed_by(reason, sent=sent)
            values = _withdrawal(reason, said, asking, now_ms, destroy=destroy)
            if not await documents.change(tx, row.id, [row.state], **values):
                raise Refused("document_gone")
            noted = entry(
                "document_withdrawn", row, asking,
                reason=reason, sent=int(sent), destroyed=int(destroy),
            )  # fmt: skip
            await audit.append(tx, now_ms, noted)
        self.nudged()
        return await self._told_now(viewer, document_id, asking.case_id)

    async def begun(self, viewer: Viewer, row: Document) -> dict[str, Any]:
        """What a page is told of an upload that it has just begun."""
        return await self._told_now(viewer, row.id, row.case_id)

    async def _opened(
        self, viewer: Viewer, document_id: str, case_id: str
    ) -> tuple[Document, DocumentReader]:
        async with self._context.database.read() as tx:
            row = await _seen(tx, viewer, document_id, case_id)
            await require_open(tx, viewer, row)
            parts = await documents.parts_of(tx, document_id)
        try:
            reader = await asyncio.to_thread(self._store.reader_now, case_id, document_id, parts)
        except DocumentGoneError:
            raise Refused("document_gone") from None
        return row, reader

    async def _told_now(self, viewer: Viewer, document_id: str, case_id: str) -> dict[str, Any]:
        async with self._context.database.read() as tx:
            row = await _seen(tx, viewer, document_id, case_id)
            return told(row, viewer, await around(tx, case_id, [row]), self._left_ms)

    @property
    def _left_ms(self) -> int:
        return self._context.settings.documents.upload_hours * HOUR_MS

    async def _note_look(self, row: Document, asking: Asking) -> None:
        await self._looks.note(entry("document_looked", row, asking), asking.account, row.id)

    async def _note(self, noted: audit.Entry) -> None:
        async with self._context.database.write() as tx:
            await audit.append(tx, self._context.now_ms(), noted)


def _withdrawal(reason: str, words: str, asking: Asking, now_ms: int, *, destroy: bool) -> dict[str, Any]:
    return {
        "state": State.WITHDRAWN.value,
        "withdrawn_by": asking.account,
        "withdrawn_ms": now_ms,
        "withdrawn_reason": reason,
        "withdrawn_words": words,
        "destroy": destroy,
    }


async def _seen(tx: Transaction, viewer: Viewer, document_id: str, case_id: str) -> Document:
    """Raises Refused not_found, also for one that the viewer may not know of."""
    row = await documents.by_id(tx, document_id)
    if row is None or row.case_id != case_id or not sees(viewer, row):
        raise Refused("not_found")
    return row
