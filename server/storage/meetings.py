"""Who met in a room, by the time lines of its sessions."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from server.domain.consultation import both_sides
from server.storage.database import Transaction
from server.storage.prebrief import OFF, ON
from server.storage.schema import seats, session_notes, sessions

JOINED, LEFT = "joined", "left"
#: Whether somebody is at a seat, and how they went: by a word, or silently.
PRESENCE = (JOINED, "back", "replaced", LEFT, "away", "gone", "removed", "revoked")


async def met(tx: Transaction, consultation_ids: Collection[str]) -> set[str]:
    """Those of these consultations in which both sides were. Who waited alone met nobody."""
    query = (
        select(sessions.c.consultation_id, seats.c.role)
        .join(session_notes, session_notes.c.session_id == sessions.c.id)
        .join(seats, seats.c.id == session_notes.c.seat_id)
        .where(sessions.c.consultation_id.in_(list(consultation_ids)), session_notes.c.what == JOINED)
        .distinct()
    )
    roles: dict[str, set[str]] = {}
    for row in await tx.execute(query):
        roles.setdefault(row.consultation_id, set()).add(row.role)
    return {id_ for id_, found in roles.items() if both_sides(found)}


async def is_talk(tx: Transaction, session_id: str) -> bool:
    """Whether both sides have come into this session, and the professionals are not among themselves."""
    query = (
        select(session_notes.c.what, seats.c.role)
        .outerjoin(seats, seats.c.id == session_notes.c.seat_id)
        .where(session_notes.c.session_id == session_id, session_notes.c.what.in_((JOINED, ON, OFF)))
        .order_by(session_notes.c.id)
    )
    rows = (await tx.execute(query)).all()
    marks = [row.what for row in rows if row.what != JOINED]
    return both_sides({row.role for row in rows if row.what == JOINED}) and marks[-1:] != [ON]


async def all_took_leave(tx: Transaction, session_id: str) -> bool:
    """Whether everybody who came has left by a word of their own: no line was lost, no page just closed."""
    query = select(session_notes.c.seat_id, session_notes.c.what).where(
        session_notes.c.session_id == session_id, session_notes.c.what.in_(PRESENCE)
    )
    last = {row.seat_id: row.what for row in await tx.execute(query.order_by(session_notes.c.id))}
    return bool(last) and set(last.values()) == {LEFT}
