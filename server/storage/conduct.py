"""The interpreters' openings: one row a session, seat and step."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.conduct import Step
from server.storage.ids import new_id
from server.storage.schema_asides import conduct_steps


async def put(tx: AsyncConnection, step: Step) -> None:
    """In place of the one before."""
    await tx.execute(
        delete(conduct_steps).where(
            conduct_steps.c.session_id == step.session_id,
            conduct_steps.c.seat_id == step.seat_id,
            conduct_steps.c.step == step.step,
        )
    )
    await tx.execute(
        insert(conduct_steps).values(
            id=new_id(),
            session_id=step.session_id,
            seat_id=step.seat_id,
            step=step.step,
            outcome=step.outcome,
            reason=step.reason,
            at_ms=step.at_ms,
        )
    )


async def of_sessions(tx: AsyncConnection, sessions: Iterable[str]) -> list[Step]:
    """Oldest first."""
    query = (
        select(conduct_steps)
        .where(conduct_steps.c.session_id.in_(list(sessions)))
        .order_by(conduct_steps.c.at_ms, conduct_steps.c.id)
    )
    return [
        Step(row.session_id, row.seat_id, row.step, row.outcome, row.reason, row.at_ms)
        for row in (await tx.execute(query)).all()
    ]
