"""What an agreed hour does to the case: scheduled, scheduled anew, and back when its last hour is gone."""

from __future__ import annotations

from server.domain.appointment import BOOKED
from server.domain.case import Case
from server.domain.consultation import OVER, effective_state
from server.domain.errors import Refused
from server.domain.life import Guard, State, rows
from server.services.case_life import About, Mover, move
from server.storage import appointments, cases, consultations
from server.storage.database import Transaction


async def hour_agreed(tx: Transaction, now_ms: int, case_id: str, by: Mover) -> None:
    """Raises Refused `wrong_state` for a case that is not so far, or past it."""
    case = await _case(tx, case_id)
    name = "schedule" if _may(case, "schedule") else "reschedule"
    await move(tx, now_ms, case, name, by, {Guard.BOOKED})


async def hour_moved(tx: Transaction, now_ms: int, case_id: str, by: Mover, reason: str) -> None:
    """Follow-up, say, has an hour as well: then the case stays where it is."""
    case = await _case(tx, case_id)
    if _may(case, "reschedule"):
        await move(tx, now_ms, case, "reschedule", by, {Guard.BOOKED}, About(reason=reason))


async def hour_gone(tx: Transaction, now_ms: int, case_id: str, name: str, by: Mover, reason: str) -> None:
    """`name`: unschedule or no_show. With another hour ahead, or running, the case stays scheduled."""
    case = await _case(tx, case_id)
    found = await consultations.of_case(tx, case_id)
    agreed = await appointments.of(tx, [one.id for one in found if effective_state(one, now_ms) not in OVER])
    if any(one.state == BOOKED for one in agreed.values()):
        return
    if _may(case, name):
        await move(tx, now_ms, case, name, by, {Guard.REASON}, About(reason=reason))


async def _case(tx: Transaction, case_id: str) -> Case:
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    return case


def _may(case: Case, name: str) -> bool:
    return case.state in set(State) and bool(rows(name, State(case.state)))
