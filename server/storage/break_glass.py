"""Who broke the glass for whom, why, from when to when."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, insert, select, update

from server.domain.glass import Glass
from server.storage.database import Transaction
from server.storage.schema_audit import break_glass


async def add(tx: Transaction, glass: Glass) -> None:
    await tx.execute(insert(break_glass).values({name: getattr(glass, name) for name in Glass.__slots__}))


async def open_of(tx: Transaction, account_id: str, now_ms: int) -> Glass | None:
    """The one that is open now."""
    query = (
        select(break_glass)
        .where(
            break_glass.c.account_id == account_id,
            break_glass.c.until_ms > now_ms,
            break_glass.c.ended_ms.is_(None),
        )
        .limit(1)
    )
    row = (await tx.execute(query)).first()
    return None if row is None else _glass(row)


async def by_id(tx: Transaction, glass_id: str) -> Glass | None:
    row = (await tx.execute(select(break_glass).where(break_glass.c.id == glass_id))).one_or_none()
    return None if row is None else _glass(row)


async def end(tx: Transaction, glass_id: str, now_ms: int) -> None:
    await tx.execute(update(break_glass).where(break_glass.c.id == glass_id).values(ended_ms=now_ms))


async def between(tx: Transaction, from_ms: int, to_ms: int) -> list[Glass]:
    """Those that were open at some time of it, the oldest first."""
    over = func.coalesce(break_glass.c.ended_ms, break_glass.c.until_ms)
    query = select(break_glass).where(break_glass.c.opened_ms < to_ms, over >= from_ms)
    rows = (await tx.execute(query.order_by(break_glass.c.opened_ms, break_glass.c.id))).all()
    return [_glass(row) for row in rows]


async def newest(tx: Transaction, limit: int) -> list[Glass]:
    query = select(break_glass).order_by(break_glass.c.opened_ms.desc(), break_glass.c.id).limit(limit)
    return [_glass(row) for row in (await tx.execute(query)).all()]


def _glass(row: Row[Any]) -> Glass:
    return Glass(**row._mapping)
