"""What an agreed hour does to the case: scheduled, scheduled anew, and back when its last hour is gone; then
held, broken off, over."""

from __future__ import annotations

from server.domain.appointment import BOOKED
from server.domain.case import Case
from server.domain.consultation import OVER, Consultation, effective_state
from server.domain.errors import Refused
from server.domain.life import Guard, State, rows
from server.services.case_life import BY_ITSELF, About, Mover, move
from server.services.case_ready import settle
from server.storage import appointments, cases, consultations
from server.storage.database import Transaction


async def hour_agreed(tx: Transaction, now_ms: int, case_id: str, by: Mover) -> None:
    """Raises Refused `wrong_state` for a case that is not so far, or past it."""
    case = await _case(tx, case_id)
    name = "schedule" if _may(case, "schedule") else "reschedule"
    await move(tx, now_ms, case, name, by, {Guard.BOOKED})
    await settle(tx, now_ms, case_id)


async def hour_moved(tx: Transaction, now_ms: int, case_id: str, by: Mover, reason: str) -> None:
    """Follow-up, say, has an hour as well: then the case stays where it is."""
    case = await _case(tx, case_id)
    if _may(case, "reschedule"):
        await move(tx, now_ms, case, "reschedule", by, {Guard.BOOKED}, About(reason=reason))
        await settle(tx, now_ms, case_id)


async def hour_gone(tx: Transaction, now_ms: int, case_id: str, name: str, by: Mover, reason: str) -> None:
    """`name`: unschedule or no_show. With another hour ahead, or running, the case stays scheduled."""
    case = await _case(tx, case_id)
    if await _another_ahead(tx, now_ms, case_id):
        return
    if _may(case, name):
        await move(tx, now_ms, case, name, by, {Guard.REASON}, About(reason=reason))


async def room_entered(tx: Transaction, now_ms: int, case_id: str) -> None:
    """Somebody is in the room of one of its hours: for the first time, or after it was broken off."""
    await _by_itself(tx, now_ms, case_id, ("open", "resume"))


async def talk_begun(tx: Transaction, now_ms: int, case_id: str) -> None:
    """Both sides are there. Told again it does nothing."""
    await _by_itself(tx, now_ms, case_id, ("begin",))


async def room_left(tx: Transaction, now_ms: int, consultation: Consultation, *, over: bool) -> None:
    """The session has ended. `over`: the talk with it; else its hour goes on and nobody is there.

    Who waited alone has held nothing: the case is where it was before, its hour ahead or missed.
    """
    case_id = consultation.case_id
    name = await _by_itself(tx, now_ms, case_id, ("leave", "end" if over else "interrupt"))
    if name == "end" and await _another_ahead(tx, now_ms, case_id, but=consultation.id):
        await _by_itself(tx, now_ms, case_id, ("schedule",))
    await settle(tx, now_ms, case_id)


async def _another_ahead(tx: Transaction, now_ms: int, case_id: str, but: str = "") -> bool:
    """An hour is agreed that is still to come, or runs."""
    found = await consultations.of_case(tx, case_id)
    agreed = await appointments.of(tx, [one.id for one in found if effective_state(one, now_ms) not in OVER])
    return any(one.state == BOOKED for id_, one in agreed.items() if id_ != but)


async def _by_itself(tx: Transaction, now_ms: int, case_id: str, names: tuple[str, ...]) -> str | None:
    """The first of these moves that the case can make; a case that stands elsewhere stays there."""
    case = await _case(tx, case_id)
    name = next((one for one in names if _may(case, one)), None)
    if name is not None:
        about = About(reason="emptied") if name == "interrupt" else About()
        await move(tx, now_ms, case, name, BY_ITSELF, {Guard.REASON, Guard.BOOKED}, about)
    return name


async def _case(tx: Transaction, case_id: str) -> Case:
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    return case


def _may(case: Case, name: str) -> bool:
    return case.state in set(State) and bool(rows(name, State(case.state)))
