"""Acknowledged gaps of the audit: from the chain itself; only the words of the reason are a table's."""

from __future__ import annotations

from sqlalchemy import insert, select

from server.domain.audit_gap import Gap, told_of
from server.domain.trail import GAP_ACKNOWLEDGED
from server.storage.database import Transaction
from server.storage.schema_audit import audit, audit_gaps

AT_ONCE = 500


async def add_words(tx: Transaction, gap_id: str, reason: str) -> None:
    await tx.execute(insert(audit_gaps).values(id=gap_id, reason=reason))


async def every(tx: Transaction) -> list[Gap]:
    """The oldest first."""
    query = select(audit).where(audit.c.action == GAP_ACKNOWLEDGED).order_by(audit.c.id)
    rows = (await tx.execute(query)).all()
    words = {row.id: row.reason for row in (await tx.execute(select(audit_gaps))).all()}
    by_id: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        by_id.setdefault(row.subject_id, []).append(index)
    found = []
    for gap_id, indexes in by_id.items():
        first = rows[indexes[0]]
        gap = told_of(gap_id, first.account_id or "", first.at_ms, [rows[at].detail for at in indexes])
        if gap is not None:
            found.append(Gap(gap.id, gap.account_id, gap.made_ms, gap.range, gap.lost, words.get(gap_id, "")))
    return found


async def hashes_at(tx: Transaction, numbers: set[int]) -> dict[int, str]:
    """Number → hash, of the entries that are there."""
    found: dict[int, str] = {}
    wanted = sorted(numbers)
    for at in range(0, len(wanted), AT_ONCE):
        query = select(audit.c.id, audit.c.hash).where(audit.c.id.in_(wanted[at : at + AT_ONCE]))
        found |= {row.id: row.hash for row in (await tx.execute(query)).all()}
    return found


async def last_before(tx: Transaction, at_ms: int, below: int) -> tuple[int, int]:
    """Number and instant of the newest entry before then with a lower number; (0, 0): none."""
    query = select(audit.c.id, audit.c.at_ms).where(audit.c.at_ms < at_ms, audit.c.id < below)
    row = (await tx.execute(query.order_by(audit.c.id.desc()).limit(1))).first()
    return (0, 0) if row is None else (row.id, row.at_ms)
