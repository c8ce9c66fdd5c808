"""Legal holds on cases: rows are only added and lifted, never removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import consultations, holds, sessions


@dataclass(frozen=True, slots=True)
class Hold:
    """While one of a case is not lifted, nothing of that case is destroyed."""

    id: str
    case_id: str
    reason: str
    set_by: str
    set_ms: int
    lift_reason: str | None = None
    lifted_by: str | None = None
    lifted_ms: int | None = None


async def add(tx: AsyncConnection, hold: Hold) -> None:
    await tx.execute(
        insert(holds).values(
            id=hold.id, case_id=hold.case_id, reason=hold.reason, set_by=hold.set_by, set_ms=hold.set_ms
        )
    )


async def lift(tx: AsyncConnection, hold_id: str, by: str, reason: str, at_ms: int) -> bool:
    """False when there is no such hold, or it was lifted before."""
    done = await tx.execute(
        update(holds)
        .where(holds.c.id == hold_id, holds.c.lifted_ms.is_(None))
        .values(lifted_by=by, lift_reason=reason, lifted_ms=at_ms)
    )
    return done.rowcount == 1


async def by_id(tx: AsyncConnection, hold_id: str) -> Hold | None:
    row = (await tx.execute(select(holds).where(holds.c.id == hold_id))).one_or_none()
    return None if row is None else _hold(row)


async def active(tx: AsyncConnection, case_id: str | None = None) -> list[Hold]:
    """Holds that stand, oldest first; of one case or of all."""
    query = select(holds).where(holds.c.lifted_ms.is_(None)).order_by(holds.c.set_ms, holds.c.id)
    if case_id is not None:
        query = query.where(holds.c.case_id == case_id)
    return [_hold(row) for row in (await tx.execute(query)).all()]


async def of_case(tx: AsyncConnection, case_id: str) -> list[Hold]:
    """All holds a case ever had, oldest first."""
    query = select(holds).where(holds.c.case_id == case_id).order_by(holds.c.set_ms, holds.c.id)
    return [_hold(row) for row in (await tx.execute(query)).all()]


async def case_is_held(tx: AsyncConnection, case_id: str) -> bool:
    query = select(func.count()).where(holds.c.case_id == case_id, holds.c.lifted_ms.is_(None))
    return bool((await tx.execute(query)).scalar_one())


async def recording_is_held(tx: AsyncConnection, recording_id: str) -> bool:
    """Whether the recording's case is under hold: nothing of it may be removed, not even a spare copy."""
    query = (
        select(func.count())
        .select_from(
            holds.join(consultations, consultations.c.case_id == holds.c.case_id).join(
                sessions, sessions.c.consultation_id == consultations.c.id
            )
        )
        .where(sessions.c.id == recording_id, holds.c.lifted_ms.is_(None))
    )
    return bool((await tx.execute(query)).scalar_one())


def _hold(row: Row[Any]) -> Hold:
    return Hold(**row._mapping)
