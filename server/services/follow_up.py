"""What of a recording is kept back from whoever looks, by the patient's word on follow-up review.

Every way to a recording asks here: the page, tracks, renderings, exports. It is asked again while an answer
runs, so that a word that is taken back reaches it. It writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from server.domain.errors import Refused
from server.domain.follow_up import PURPOSE, is_over, withheld
from server.domain.permissions import Action, Relation, allowed
from server.domain.person_consent import newest_of, state_of
from server.domain.session import Session
from server.services.case_sides import sides_of
from server.services.recordable import patients_seats
from server.storage import cases, consultations, person_consents, sessions, site_policies
from server.storage.database import Database, Transaction

Withheld = Mapping[str, str]
"""Seat → the code that it is refused with."""


@dataclass(frozen=True, slots=True)
class Looking:
    """Somebody who may watch: in which roles, and how they stand to the case."""

    roles: tuple[str, ...]
    held: frozenset[Relation]


#: An operator's command: nobody's part in a consultation.
NOBODY = Looking((), frozenset())


async def withheld_from(database: Database, recording: str, looking: Looking, now_ms: int) -> Withheld:
    """Empty for an unknown recording."""
    async with database.read() as tx:
        return await withheld_in(tx, recording, looking, now_ms)


async def withheld_in(tx: Transaction, recording: str, looking: Looking, now_ms: int) -> Withheld:
    """As `withheld_from`, as a transaction sees it."""
    session = await sessions.by_id(tx, recording)
    consultation = await consultations.by_id(tx, session.consultation_id) if session else None
    case = await cases.by_id(tx, consultation.case_id) if consultation else None
    if session is None or case is None:
        return {}
    over = is_over(case.state, session.ended_ms or session.emptied_ms, now_ms)
    held = looking.held - {Relation.INVITED} if over else looking.held
    if allowed(Action.RECORDING_CONSULT, looking.roles, held):
        return {}
    said = state_of(newest_of(await person_consents.of_case(tx, case.id)).get(PURPOSE), ())
    code = withheld(said, await legal_bases(tx, session))
    if code is None:
        return {}
    seats = await patients_seats(tx, case.id)
    return {seat.id: code for seat in seats if seat.consultation_id == session.consultation_id}


async def legal_bases(tx: Transaction, session: Session) -> set[str]:
    """Under which it was held: those it began under; of one that is older than policies, what holds now."""
    policies = await site_policies.of_session(tx, session.id)
    if not policies:
        consultation = await consultations.by_id(tx, session.consultation_id)
        case = await cases.by_id(tx, consultation.case_id) if consultation else None
        pairs = (await sides_of(tx, case)).pairs if case else ()
        policies = await site_policies.newest(tx, pairs)
    return {policy.legal_basis for policy in policies}


def require_open(kept_back: Withheld, seats: Iterable[str]) -> None:
    """Raises Refused `follow_up_refused`, `follow_up_unasked`."""
    for seat in seats:
        if seat in kept_back:
            raise Refused(kept_back[seat])


def code_of(kept_back: Withheld, seats: Collection[str]) -> str | None:
    """Why something with these seats in it is kept back."""
    return next((kept_back[seat] for seat in seats if seat in kept_back), None)
