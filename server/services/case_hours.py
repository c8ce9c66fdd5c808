"""What an agreed hour does to the case: scheduled, scheduled anew, and back when its last hour is gone; then
held, broken off, over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from server.domain.appointment import BOOKED
from server.domain.case import Case
from server.domain.consultation import OVER, Consultation, effective_state
from server.domain.errors import Refused
from server.domain.life import Guard, State
from server.domain.meeting import all_took_leave, held, together
from server.services.case_life import BY_ITSELF, About, Mover, may, move
from server.services.case_ready import settle
from server.storage import appointments, cases, consultations, meetings
from server.storage.database import Transaction
from server.storage.meetings import TimeLine

#: One hour is done with, and the case waits for what comes of it or for another.
DONE_WITH: Final = (State.INTERRUPTED, State.ENDED)


async def hour_agreed(tx: Transaction, now_ms: int, case_id: str, by: Mover) -> None:
    """Raises Refused `wrong_state` for a case that is not so far, or past it."""
    case = await _case(tx, case_id)
    name = "schedule" if may(case, "schedule") else "reschedule"
    await move(tx, now_ms, case, name, by, {Guard.BOOKED})
    await settle(tx, now_ms, case_id)


async def hour_moved(tx: Transaction, now_ms: int, case_id: str, by: Mover, reason: str) -> None:
    """After what was broken off it is another hour. Follow-up has hours as well: there the case stays."""
    case = await _case(tx, case_id)
    name = "schedule" if case.state in DONE_WITH else "reschedule"
    if may(case, name):
        await move(tx, now_ms, case, name, by, {Guard.BOOKED}, About(reason=reason))
        await settle(tx, now_ms, case_id)


async def hour_gone(tx: Transaction, now_ms: int, case_id: str, name: str, by: Mover, reason: str) -> None:
    """`name`: unschedule or no_show. With another hour ahead, or running, the case stays scheduled; where one
    was held before, that stays true."""
    case = await _case(tx, case_id)
    hours = await consultations.of_case(tx, case_id)
    met = await meetings.met(tx, {one.id for one in hours})
    if await _another_ahead(tx, now_ms, hours, met):
        return
    if met and name == "unschedule":
        name = "unschedule_talked"
    if may(case, name):
        await move(tx, now_ms, case, name, by, {Guard.REASON}, About(reason=reason))


async def room_entered(tx: Transaction, now_ms: int, case_id: str) -> None:
    """Somebody is in the room of one of its hours. What was broken off goes on with the talk, not before."""
    await _by_itself(tx, now_ms, case_id, "open")


async def talk_begun(tx: Transaction, now_ms: int, case_id: str, session_id: str) -> None:
    """If both sides are inside now. Told again it does nothing."""
    line = await meetings.of_session(tx, session_id)
    if held(line.notes, line.waiting)[-1:] == [True]:
        await _by_itself(tx, now_ms, case_id, "begin", "resume")


async def room_left(
    tx: Transaction, now_ms: int, consultation: Consultation, session_id: str, how: str
) -> None:
    """The session has ended: `how` it did, as `signaling.ports.EndReason` says.

    Who waited alone has held nothing: the case is where it was before, its hour ahead or missed. While
    another hour of the case runs, that one moves it.
    """
    case_id = consultation.case_id
    others = [one for one in await consultations.of_case(tx, case_id) if one.id != consultation.id]
    if any(one.state == "live" for one in others):
        return
    line = await meetings.of_session(tx, session_id)
    if how == "ended" and any(together(line.notes)):  # of professionals alone as well: their chair says so
        await _by_itself(tx, now_ms, case_id, "begin")
    over = how == "ended" or await _talked_out(tx, consultation.id, line)
    if over:
        await _by_itself(tx, now_ms, case_id, "leave", "end")
    else:
        await _by_itself(tx, now_ms, case_id, "leave", "interrupt", reason=how)
    await hour_ahead(tx, now_ms, case_id)


async def hour_ahead(tx: Transaction, now_ms: int, case_id: str) -> None:
    """Where one hour is done with and another is agreed, the case is scheduled for that."""
    if (await _case(tx, case_id)).state in DONE_WITH:
        hours = await consultations.of_case(tx, case_id)
        if await _another_ahead(tx, now_ms, hours, await meetings.met(tx, {one.id for one in hours})):
            await _by_itself(tx, now_ms, case_id, "schedule")
    await settle(tx, now_ms, case_id)


async def _talked_out(tx: Transaction, consultation_id: str, line: TimeLine) -> bool:
    """Nobody ended it, and it is over all the same: all took leave, or its time was up when they went.

    A server that was down says nothing of the time between: the last line that it wrote counts.
    """
    if not any(held(line.notes, line.waiting)):
        return False
    agreed = (await appointments.of(tx, [consultation_id])).get(consultation_id)
    return all_took_leave(line.notes) or (agreed is not None and line.notes[-1].at_ms >= agreed.ends_at_ms)


async def _another_ahead(
    tx: Transaction, now_ms: int, hours: Sequence[Consultation], met: Collection[str]
) -> bool:
    """An hour is agreed that is still to come, or runs: not one that was held and may be entered again."""
    open_ones = {one.id: one for one in hours if effective_state(one, now_ms) not in OVER}
    return any(
        open_ones[id_].state == "live" or (one.ends_at_ms > now_ms and id_ not in met)
        for id_, one in (await appointments.of(tx, open_ones)).items()
        if one.state == BOOKED
    )


async def _by_itself(tx: Transaction, now_ms: int, case_id: str, *names: str, reason: str = "") -> None:
    """The first of these moves that the case can make; a case that stands elsewhere stays there."""
    case = await _case(tx, case_id)
    name = next((one for one in names if may(case, one)), None)
    if name is not None:
        holds = {Guard.REASON, Guard.BOOKED}
        await move(tx, now_ms, case, name, BY_ITSELF, holds, About(reason=reason))


async def _case(tx: Transaction, case_id: str) -> Case:
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    return case
