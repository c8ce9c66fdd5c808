"""Whether a case is ready for its agreed hour: its patient was asked for all, and agrees to be seen."""

from __future__ import annotations

from server.domain.errors import Refused
from server.domain.life import Guard, State
from server.domain.person_consent import newest_of, required
from server.domain.task import unanswered
from server.services.case_life import BY_ITSELF, About, move
from server.services.case_sides import Sides, sides_of
from server.storage import cases, person_consents
from server.storage.database import Transaction

WHY = "consents"


async def lacking(tx: Transaction, sides: Sides) -> tuple[str, tuple[str, ...]] | None:
    """As `unanswered` says it of this case's patient."""
    given = newest_of(await person_consents.of_case(tx, sides.case.id))
    return unanswered(required(sides.countries), given, sides.recipients)


async def settle(tx: Transaction, now_ms: int, case_id: str) -> None:
    """For when an hour was agreed, and at every answer of the patient's. Raises Refused `not_found`."""
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    if case.state not in (State.SCHEDULED, State.READY):
        return
    found = await lacking(tx, await sides_of(tx, case))
    if case.state == State.SCHEDULED and found is None:
        await move(tx, now_ms, case, "prepare", BY_ITSELF, {Guard.CONSENTS})
    elif case.state == State.READY and found is not None:
        await move(tx, now_ms, case, "unprepare", BY_ITSELF, {Guard.REASON}, About(reason=WHY))
