"""Sessions, their epochs and their time line."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.session import Pause, Session
from server.storage import witnesses
from server.storage.schema import recordings, session_notes, sessions


async def add(tx: AsyncConnection, session: Session) -> None:
    """A session and, in the same transaction, its recording: there is never one without the other."""
    await tx.execute(
        insert(sessions).values(
            id=session.id,
            consultation_id=session.consultation_id,
            epoch=session.epoch,
            started_ms=session.started_ms,
        )
    )
    await tx.execute(
        insert(recordings).values(
            id=session.id,
            state="recording",
            generation=0,
            epochs_finalised=0,
            updated_ms=session.started_ms,
        )
    )
    await note(tx, session.id, session.started_ms, witnesses.epoch_note(session.epoch), None)


async def by_id(tx: AsyncConnection, session_id: str) -> Session | None:
    row = (await tx.execute(select(sessions).where(sessions.c.id == session_id))).one_or_none()
    return None if row is None else _session(row)


async def of_consultation(tx: AsyncConnection, consultation_id: str) -> list[Session]:
    """All of them, oldest first."""
    query = select(sessions).where(sessions.c.consultation_id == consultation_id)
    return [_session(row) for row in (await tx.execute(query.order_by(sessions.c.started_ms))).all()]


async def unended(tx: AsyncConnection, consultation_id: str | None = None) -> list[Session]:
    """Sessions that nobody ended yet, newest first."""
    query = select(sessions).where(sessions.c.ended_ms.is_(None)).order_by(sessions.c.started_ms.desc())
    if consultation_id is not None:
        query = query.where(sessions.c.consultation_id == consultation_id)
    return [_session(row) for row in (await tx.execute(query)).all()]


async def grant_epoch(tx: AsyncConnection, session_id: str, now_ms: int) -> int:
    """A higher epoch than any before; whoever is in the session is in again.

    Raises LookupError when there is no such session.
    """
    query = (
        update(sessions)
        .where(sessions.c.id == session_id)
        .values(epoch=sessions.c.epoch + 1, emptied_ms=None)
        .returning(sessions.c.epoch)
    )
    epoch = (await tx.execute(query)).scalar_one_or_none()
    if epoch is None:
        raise LookupError("no such session")
    await note(tx, session_id, now_ms, witnesses.epoch_note(epoch), None)
    return int(epoch)


async def mark_emptied(tx: AsyncConnection, session_id: str, at_ms: int) -> None:
    """Only the first time counts: the grace runs from when the last seat left."""
    await tx.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.emptied_ms.is_(None), sessions.c.ended_ms.is_(None))
        .values(emptied_ms=at_ms)
    )


async def mark_occupied(tx: AsyncConnection, session_id: str) -> None:
    await tx.execute(update(sessions).where(sessions.c.id == session_id).values(emptied_ms=None))


async def end(tx: AsyncConnection, session_id: str, reason: str, at_ms: int) -> bool:
    """False when it had ended before."""
    done = await tx.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.ended_ms.is_(None))
        .values(ended_ms=at_ms, end_reason=reason)
    )
    return done.rowcount == 1


async def set_pause(tx: AsyncConnection, session_id: str, pause: Pause | None) -> None:
    await tx.execute(
        update(sessions)
        .where(sessions.c.id == session_id)
        .values(
            paused_ms=None if pause is None else pause.since_ms,
            paused_by=None if pause is None else pause.seat_id,
            pause_reason=None if pause is None else pause.reason,
        )
    )


async def note(tx: AsyncConnection, session_id: str, at_ms: int, what: str, seat_id: str | None) -> None:
    await tx.execute(
        insert(session_notes).values(session_id=session_id, at_ms=at_ms, what=what, seat_id=seat_id)
    )


def _session(row: Row[Any]) -> Session:
    paused = row.paused_ms is not None
    pause = Pause(row.paused_by, row.pause_reason, row.paused_ms) if paused else None
    return Session(
        row.id, row.consultation_id, row.epoch, row.started_ms, row.emptied_ms, row.ended_ms, pause
    )
