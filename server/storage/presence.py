"""Who sat where when, as sessions noted it: interpreters' hours, and how long a seat counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.consultation import Consultation
from server.domain.hours import HERE, Note, Span, presence
from server.storage.consultations import consultation_of
from server.storage.schema import accounts, cases, consultations, seats, session_notes, sessions
from server.storage.sessions import unended


@dataclass(frozen=True, slots=True)
class Sat:
    """An interpreter's seat in one session. `email` None: a seat without an account."""

    session_id: str
    ended: bool
    case_label: str
    seat_id: str
    name: str = field(repr=False)
    language: str
    site_id: str
    email: str | None


async def interpreters_between(tx: AsyncConnection, from_ms: int, to_ms: int) -> list[Sat]:
    """Every interpreter's seat of sessions that touch [from, to), oldest session first."""
    query = (
        select(
            sessions.c.id.label("session"),
            sessions.c.ended_ms,
            cases.c.label.label("case_label"),
            accounts.c.email,
            seats,
        )
        .join(consultations, consultations.c.id == sessions.c.consultation_id)
        .join(cases, cases.c.id == consultations.c.case_id)
        .join(seats, seats.c.consultation_id == consultations.c.id)
        .outerjoin(accounts, accounts.c.id == seats.c.account_id)
        .where(
            seats.c.role == "interpreter",
            sessions.c.started_ms < to_ms,
            or_(sessions.c.ended_ms.is_(None), sessions.c.ended_ms > from_ms),
        )
        .order_by(sessions.c.started_ms, sessions.c.id, seats.c.position)
    )
    return [
        Sat(
            session_id=row.session,
            ended=row.ended_ms is not None,
            case_label=row.case_label,
            seat_id=row.id,
            name=row.name,
            language=row.language,
            site_id=row.site_id,
            email=row.email,
        )
        for row in (await tx.execute(query)).all()
    ]


async def notes_of(tx: AsyncConnection, session_id: str) -> list[Note]:
    """In the order they were written."""
    query = select(session_notes).where(session_notes.c.session_id == session_id).order_by(session_notes.c.id)
    return [Note(row.at_ms, row.what, row.seat_id) for row in (await tx.execute(query)).all()]


async def sat(tx: AsyncConnection, consultation_id: str, seat_id: str, now_ms: int) -> list[Span]:
    """When somebody sat at a seat of a session that nobody ended yet, in order."""
    running = await unended(tx, consultation_id)
    return presence(await notes_of(tx, running[0].id), seat_id, now_ms) if running else []


async def consultations_of(
    tx: AsyncConnection, account_id: str, case_ids: set[str] | None
) -> list[tuple[Consultation, bool]]:
    """Those of these cases (None: all) with a seat of the account's, and whether anybody ever sat in it."""
    was_there = exists().where(
        sessions.c.consultation_id == consultations.c.id,
        session_notes.c.session_id == sessions.c.id,
        session_notes.c.seat_id == seats.c.id,
        session_notes.c.what.in_(HERE),
    )
    query = (
        select(consultations, was_there.label("sat"))
        .join(seats, seats.c.consultation_id == consultations.c.id)
        .where(seats.c.account_id == account_id)
    )
    if case_ids is not None:
        query = query.where(consultations.c.case_id.in_(case_ids))
    return [(consultation_of(row), bool(row.sat)) for row in (await tx.execute(query)).all()]
