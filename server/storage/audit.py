"""The audit chain: who, when, from where, whose data, what. Rows are only added, each on the last one's hash.

It must not hold names or contents: ids only, and `detail` of numbers and codes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from sqlalchemy import func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.database import Database
from server.storage.schema import audit

FIRST = "0" * 64
CHAIN_LOCK = 0x4879656F


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `account_id`/`seat_id`: whoever is known. `case_id` names the data subject."""

    action: str
    subject_type: str
    subject_id: str
    address: str
    account_id: str | None = None
    seat_id: str | None = None
    case_id: str | None = None
    detail: dict[str, int | str] = field(default_factory=dict)


def chained(prev_hash: str, at_ms: int, entry: Entry) -> str:
    """SHA-256 over the previous hash and the row in canonical JSON (sorted keys, no spaces)."""
    row = {
        "at_ms": at_ms,
        "account_id": entry.account_id,
        "seat_id": entry.seat_id,
        "action": entry.action,
        "subject_type": entry.subject_type,
        "subject_id": entry.subject_id,
        "case_id": entry.case_id,
        "address": entry.address,
        "detail": entry.detail,
    }
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{prev_hash}\n{text}".encode()).hexdigest()


async def append(tx: AsyncConnection, at_ms: int, entry: Entry) -> None:
    """Must be called inside `Database.write()`: the writer's lock keeps the chain a line."""
    if tx.dialect.name == "postgresql":  # there, writers do not queue by themselves
        await tx.execute(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
    last = (await tx.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1))).scalar_one_or_none()
    prev_hash = last or FIRST
    await tx.execute(
        insert(audit).values(
            at_ms=at_ms,
            account_id=entry.account_id,
            seat_id=entry.seat_id,
            action=entry.action,
            subject_type=entry.subject_type,
            subject_id=entry.subject_id,
            case_id=entry.case_id,
            address=entry.address,
            detail=entry.detail,
            prev_hash=prev_hash,
            hash=chained(prev_hash, at_ms, entry),
        )
    )


async def head(tx: AsyncConnection) -> str:
    """The hash of the newest row: whoever keeps it can tell that nothing before was changed."""
    last = (await tx.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1))).scalar_one_or_none()
    return last or FIRST


async def hashes_told(tx: AsyncConnection) -> set[str]:
    """Hashes of receipts that the chain has heard of."""
    query = select(audit.c.detail).where(audit.c.action.in_(("media_destroyed", "destruction_relearned")))
    return {str(detail.get("hash")) for detail in (await tx.execute(query)).scalars()}


async def first_broken(tx: AsyncConnection) -> int | None:
    """Id of the first row that does not follow from the one before; None when the chain is whole."""
    prev_hash = FIRST
    for row in (await tx.execute(select(audit).order_by(audit.c.id))).all():
        entry = Entry(
            action=row.action,
            subject_type=row.subject_type,
            subject_id=row.subject_id,
            address=row.address,
            account_id=row.account_id,
            seat_id=row.seat_id,
            case_id=row.case_id,
            detail=row.detail,
        )
        if row.prev_hash != prev_hash or row.hash != chained(prev_hash, row.at_ms, entry):
            return int(row.id)
        prev_hash = row.hash
    return None


async def check(database: Database) -> int | None:
    """`first_broken` of these books; raises LookupError when there is no chain to be read."""
    try:
        async with database.read() as tx:
            return await first_broken(tx)
    except SQLAlchemyError as error:
        raise LookupError("no audit chain") from error
