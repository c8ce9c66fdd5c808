"""Time lines as `server/domain/meeting.py` reads them: of sessions, and of whole consultations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Select, select

from server.domain.consultation import waits_first
from server.domain.meeting import WORDS, Note, held
from server.storage import consultations
from server.storage.database import Transaction
from server.storage.schema import seats, session_notes, sessions


@dataclass(slots=True)
class TimeLine:
    """`waiting`: seats of the consultation who come in later, as patients do."""

    consultation_id: str = ""
    notes: list[Note] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)


async def of_session(tx: Transaction, session_id: str) -> TimeLine:
    """Empty for an unknown one."""
    return (await _lines(tx, _notes().where(sessions.c.id == session_id))).get(session_id, TimeLine())


async def met(tx: Transaction, consultation_ids: Collection[str]) -> set[str]:
    """Those of these consultations that were held. Who waited alone met nobody."""
    found = await _lines(tx, _notes().where(sessions.c.consultation_id.in_(list(consultation_ids))))
    return {line.consultation_id for line in found.values() if any(held(line.notes, line.waiting))}


async def _lines(tx: Transaction, query: Select[tuple[str, str, str, str, str, int]]) -> dict[str, TimeLine]:
    """By session."""
    found: dict[str, TimeLine] = {}
    for row in await tx.execute(query):
        line = found.setdefault(row.id, TimeLine(row.consultation_id))
        line.notes.append(Note(row.what, row.seat_id, row.role, row.at_ms))
    there = await consultations.seats_of(tx, {line.consultation_id for line in found.values()})
    for line in found.values():
        line.waiting = {
            seat.id for seat in there if seat.consultation_id == line.consultation_id and waits_first(seat)
        }
    return found


def _notes() -> Select[tuple[str, str, str, str, str, int]]:
    return (
        select(
            sessions.c.id, sessions.c.consultation_id, session_notes.c.what,
            session_notes.c.seat_id, seats.c.role, session_notes.c.at_ms,
        )
        .join(session_notes, session_notes.c.session_id == sessions.c.id)
        .join(seats, seats.c.id == session_notes.c.seat_id)
        .where(session_notes.c.what.in_(WORDS))
        .order_by(session_notes.c.id)
    )  # fmt: skip
