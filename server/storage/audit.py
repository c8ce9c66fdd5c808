"""The audit chain: who, when, from where, whose data, what. Rows are only added, each on the last one's hash.

It must not hold names or contents: ids only, and `detail` of numbers and codes. An entry is written in the
transaction of what it tells: nothing is done or shown that is not in the chain (docs/audit.md says what that
costs). Writers queue for the whole database anyway, so the head needs no lock of its own; if that queue were
ever left, the table's unique `prev_hash` and its triggers refuse a fork.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.audit_actions import ACTIONS
from server.storage.database import Database
from server.storage.schema_audit import audit
from server.storage.schema_casework import case_patients

FIRST: Final = "0" * 64
VERSION: Final = 2
"""Of the hashed bytes. 1 had no data subject of its own."""
BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `account_id`/`seat_id`: whoever is known. `patient_id` names the data subject.

    Without one the data subject is the patient of the case, or the subject itself where that is a patient.
    """

    action: str
    subject_type: str
    subject_id: str
    address: str
    account_id: str | None = None
    seat_id: str | None = None
    case_id: str | None = None
    detail: dict[str, int | str] = field(default_factory=dict)
    patient_id: str | None = None


def canonical(version: int, at_ms: int, entry: Entry) -> bytes:
    """What is hashed: the row as canonical JSON (sorted keys, no spaces, ASCII)."""
    row: dict[str, Any] = {
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
    if version > 1:
        row |= {"version": version, "patient_id": entry.patient_id}
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def chained(prev_hash: str, at_ms: int, entry: Entry, version: int = VERSION) -> str:
    """SHA-256 over the previous hash, a line feed and the canonical row."""
    return hashlib.sha256(f"{prev_hash}\n".encode() + canonical(version, at_ms, entry)).hexdigest()


async def append(tx: AsyncConnection, at_ms: int, entry: Entry) -> None:
    """Must be called inside `Database.write()`, whose queue keeps the chain a line.

    Raises ValueError for an action that nobody has words for.
    """
    if entry.action not in ACTIONS:
        raise ValueError(f"{entry.action} is no action of the audit: server/domain/audit_actions.py")
    prev_hash = await head(tx)
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    values["patient_id"] = await _data_subject(tx, entry)
    whole = Entry(**values)
    await tx.execute(
        insert(audit).values(
            at_ms=at_ms,
            version=VERSION,
            prev_hash=prev_hash,
            hash=chained(prev_hash, at_ms, whole),
            **values,
        )
    )


async def _data_subject(tx: AsyncConnection, entry: Entry) -> str | None:
    if entry.patient_id is not None or entry.subject_type == "patient":
        return entry.patient_id or entry.subject_id
    if not entry.case_id:
        return None
    query = select(case_patients.c.patient_id).where(case_patients.c.case_id == entry.case_id)
    return (await tx.execute(query)).scalar_one_or_none()


async def head(tx: AsyncConnection) -> str:
    """The hash of the newest row: whoever keeps it can tell that nothing before was changed."""
    last = (await tx.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1))).scalar_one_or_none()
    return last or FIRST


async def newest(tx: AsyncConnection) -> tuple[int, str]:
    """Number and hash of the newest row; (0, FIRST) of an empty chain."""
    row = (await tx.execute(select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1))).first()
    return (0, FIRST) if row is None else (row.id, row.hash)


async def hash_at(tx: AsyncConnection, number: int) -> str | None:
    """Of the row of this number, if it is there."""
    return (await tx.execute(select(audit.c.hash).where(audit.c.id == number))).scalar_one_or_none()


_RECEIPTS = ("media_destroyed", "documents_destroyed", "destruction_relearned")


async def hashes_told(tx: AsyncConnection) -> set[str]:
    """Hashes of receipts that the chain has heard of."""
    query = select(audit.c.detail).where(audit.c.action.in_(_RECEIPTS))
    return {str(detail.get("hash")) for detail in (await tx.execute(query)).scalars()}


async def is_guarded(tx: AsyncConnection) -> bool:
    """Whether the database still refuses to change a row."""
    sqlite = tx.dialect.name == "sqlite"
    names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if not sqlite:
        names = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit'::regclass AND tgenabled <> 'D'"
    found = set((await tx.exec_driver_sql(names)).scalars())
    return found >= {"audit_no_update", "audit_no_delete", "audit_follows"}


async def first_broken(tx: AsyncConnection) -> int | None:
    """Id of the first row that does not follow from the one before; None when the chain is whole."""
    prev_hash, version = FIRST, 0
    async for row in _rows(tx):
        expected = chained(prev_hash, row.at_ms, entry_of(row), row.version)
        if row.prev_hash != prev_hash or row.hash != expected or not version <= row.version <= VERSION:
            return int(row.id)
        prev_hash, version = row.hash, row.version
    return None


async def _rows(tx: AsyncConnection) -> AsyncIterator[Row[Any]]:
    """All of them by number, some at a time: years of them are not held in memory."""
    after = -1
    while True:
        query = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(BATCH)
        rows = (await tx.execute(query)).all()
        for row in rows:
            yield row
        if len(rows) < BATCH:
            return
        after = rows[-1].id


def entry_of(row: Row[Any]) -> Entry:
    """A row of the table as what was written."""
    return Entry(**{name: getattr(row, name) for name in Entry.__slots__})


async def check(database: Database) -> int | None:
    """`first_broken` of these books; raises LookupError when there is no chain to be read."""
    try:
        async with database.read() as tx:
            return await first_broken(tx)
    except SQLAlchemyError as error:
        raise LookupError("no audit chain") from error
