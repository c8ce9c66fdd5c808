"""Documents in the books: the rows, the parts their bytes are kept in, and with which a referral went out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, insert, literal, or_, select, update

from server.domain.documents import HELD, Document, Part, Side, State
from server.storage.database import Transaction
from server.storage.schema_documents import document_parts, documents, referral_documents

AT_ONCE = 500


async def add(tx: Transaction, document: Document) -> None:
    values = {name: getattr(document, name) for name in Document.__slots__}
    await tx.execute(
        insert(documents).values(**values | {"state": document.state.value, "side": document.side.value})
    )


async def by_id(tx: Transaction, document_id: str) -> Document | None:
    row = (await tx.execute(select(documents).where(documents.c.id == document_id))).one_or_none()
    return None if row is None else _document(row)


async def by_request(tx: Transaction, account_id: str, request: str) -> Document | None:
    query = select(documents).where(documents.c.made_by == account_id, documents.c.request == request)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _document(row)


async def of_case(tx: Transaction, case_id: str) -> list[Document]:
    """Oldest first."""
    query = select(documents).where(documents.c.case_id == case_id)
    rows = (await tx.execute(query.order_by(documents.c.made_ms, documents.c.id))).all()
    return [_document(row) for row in rows]


async def in_state(tx: Transaction, state: State) -> list[Document]:
    """Of all cases, the one that was touched first at the head."""
    query = select(documents).where(documents.c.state == state.value)
    rows = (await tx.execute(query.order_by(documents.c.touched_ms, documents.c.id))).all()
    return [_document(row) for row in rows]


async def finished(tx: Transaction, ids: Sequence[str]) -> list[Document]:
    """Those of these that nothing is to be done with any more but to be kept, the oldest first."""
    found: list[Document] = []
    states = [state.value for state in (State.CONFIRM, State.READY, State.QUARANTINED, State.WITHDRAWN)]
    for at in range(0, len(ids), AT_ONCE):
        query = select(documents).where(
            documents.c.id.in_(ids[at : at + AT_ONCE]),
            documents.c.state.in_(states),
            documents.c.destroy.is_(False),
        )
        found += [_document(row) for row in (await tx.execute(query)).all()]
    return sorted(found, key=lambda row: (row.made_ms, row.id))


async def abandoned(tx: Transaction, before_ms: int) -> list[Document]:
    """Uploads to which nothing came since."""
    query = select(documents).where(
        documents.c.state == State.UPLOADING.value, documents.c.touched_ms < before_ms
    )
    return [_document(row) for row in (await tx.execute(query.order_by(documents.c.touched_ms))).all()]


async def to_destroy(tx: Transaction) -> list[Document]:
    query = select(documents).where(documents.c.destroy.is_(True), documents.c.destroyed_ms.is_(None))
    return [_document(row) for row in (await tx.execute(query.order_by(documents.c.made_ms))).all()]


async def undestroyed(tx: Transaction, ids: Collection[str]) -> bool:
    """Whether the books still hold one of these to be there."""
    query = select(func.count()).where(documents.c.id.in_(list(ids)), documents.c.destroyed_ms.is_(None))
    return bool((await tx.execute(query)).scalar_one())


async def destroyed_since(tx: Transaction, since_ms: int) -> list[Document]:
    query = select(documents).where(documents.c.destroyed_ms >= since_ms)
    return [_document(row) for row in (await tx.execute(query.order_by(documents.c.destroyed_ms))).all()]


async def next_unscanned(tx: Transaction, before_ms: int) -> Document | None:
    """The oldest that is ready, was never scanned, and not tried since."""
    due = or_(documents.c.scanned_ms.is_(None), documents.c.scanned_ms < before_ms)
    query = select(documents).where(
        documents.c.state == State.READY.value, documents.c.scan == "not_scanned", due
    )
    row = (await tx.execute(query.order_by(documents.c.made_ms, documents.c.id).limit(1))).one_or_none()
    return None if row is None else _document(row)


async def change(tx: Transaction, document_id: str, from_states: Collection[State], **values: Any) -> bool:
    """Set columns if the document is in one of these states; whether it was."""
    made = update(documents).where(
        documents.c.id == document_id, documents.c.state.in_([state.value for state in from_states])
    )
    return bool((await tx.execute(made.values(**values))).rowcount == 1)


async def share(tx: Transaction, document_id: str, now_ms: int) -> None:
    """Note that others than the consulting site that brought it may see it from now on, if they may."""
    seen = update(documents).where(
        documents.c.id == document_id,
        documents.c.side == Side.CONSULTING.value,
        documents.c.state == State.READY.value,
        documents.c.visibility != "site",
        documents.c.shared_ms.is_(None),
    )
    await tx.execute(seen.values(shared_ms=now_ms))


async def add_part(tx: Transaction, document_id: str, part: Part, now_ms: int) -> bool:
    """Name a sealed file as the document's next; False when the upload goes on elsewhere by now."""
    made = update(documents).where(
        documents.c.id == document_id,
        documents.c.state == State.UPLOADING.value,
        documents.c.received == part.start,
    )
    kept = await tx.execute(made.values(received=part.start + part.size, touched_ms=now_ms))
    if kept.rowcount != 1:
        return False
    await tx.execute(
        insert(document_parts).values(
            document_id=document_id, number=part.number, start=part.start, size=part.size, file=part.file
        )
    )
    return True


async def parts_of(tx: Transaction, document_id: str) -> list[Part]:
    """In their order."""
    query = select(document_parts).where(document_parts.c.document_id == document_id)
    rows = (await tx.execute(query.order_by(document_parts.c.number))).all()
    return [Part(row.number, row.start, row.size, row.file) for row in rows]


async def close(tx: Transaction, ids: Collection[str]) -> None:
    """Nobody opens them any more: their destruction has begun."""
    await tx.execute(update(documents).where(documents.c.id.in_(list(ids))).values(state=State.ENDED.value))


async def end(tx: Transaction, document_id: str, at_ms: int) -> None:
    """Its bytes are gone: what stays is that there was one, of which kind, whose, and until when."""
    values = {"name": "", "details": {}, "patients": [], "page_order": "", "withdrawn_words": ""}
    query = update(documents).where(documents.c.id == document_id)
    await tx.execute(query.values(state=State.ENDED.value, destroyed_ms=at_ms, **values))
    await drop_parts(tx, document_id)


async def drop_parts(tx: Transaction, document_id: str) -> None:
    await tx.execute(delete(document_parts).where(document_parts.c.document_id == document_id))


async def held_bytes(tx: Transaction, *, case_id: str = "", site_id: str = "") -> tuple[int, int]:
    """(how many, bytes promised) that a case holds, or that a site has brought."""
    states = [state.value for state in HELD]
    query = select(func.count(), func.coalesce(func.sum(documents.c.size), 0))
    query = query.where(documents.c.state.in_(states))
    if case_id:
        query = query.where(documents.c.case_id == case_id)
    if site_id:
        query = query.where(documents.c.site_id == site_id)
    count, size = (await tx.execute(query)).one()
    return int(count), int(size)


async def unfinished_by(tx: Transaction, account_id: str) -> int:
    query = select(func.count()).where(
        documents.c.made_by == account_id, documents.c.state == State.UPLOADING.value
    )
    return int((await tx.execute(query)).scalar_one())


async def cite(tx: Transaction, case_id: str, number: int) -> None:
    """A version of the referral goes out with all that is ready by now, but what stays at the site."""
    going = select(literal(case_id), literal(number), documents.c.id, documents.c.sha256).where(
        documents.c.case_id == case_id,
        documents.c.state == State.READY.value,
        documents.c.side == Side.REFERRING.value,
        documents.c.visibility != "site",
    )
    columns = ["case_id", "number", "document_id", "sha256"]
    await tx.execute(insert(referral_documents).from_select(columns, going))


async def cited(tx: Transaction, case_id: str) -> dict[str, list[int]]:
    """Document → numbers of the versions that went out with it."""
    query = select(referral_documents.c.document_id, referral_documents.c.number).where(
        referral_documents.c.case_id == case_id
    )
    found: dict[str, list[int]] = {}
    for row in (await tx.execute(query.order_by(referral_documents.c.number))).all():
        found.setdefault(row.document_id, []).append(row.number)
    return found


def _document(row: Row[Any]) -> Document:
    return Document(**{**row._mapping, "state": State(row.state), "side": Side(row.side)})
