"""Which seats of a consultation may be recorded now, and in whose company: consents and policy put together.

What comes out of it is all that rooms, and through them media, learn of consents. It writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.consent import Consent, decision_of, grant_of
from server.domain.consent_text import newest
from server.domain.consultation import Consultation, Seat
from server.domain.person_consent import Given, missing, newest_of, required
from server.domain.site_policy import Policy, requires_physician
from server.services.case_sides import Sides, sides_of, sits_at
from server.storage import cases, consents, consultations, person_consents, sessions, site_policies
from server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Recordable:
    """`grant`: under which it may be recorded, None = must not be. `missing`: what the patient, who sits
    here, has not agreed to. `accompanied`: recorded, and lets others be, only beside a verified physician."""

    decision: str
    grant: str | None
    accompanied: bool
    missing: tuple[str, ...] = ()


async def recordable(tx: Transaction, consultation: Consultation, seats: list[Seat]) -> dict[str, Recordable]:
    """By seat."""
    case = await cases.by_id(tx, consultation.case_id)
    decisions = await consents.newest_by_seat(tx, consultation.id)
    if case is None:
        return {seat.id: _of(seat, decisions.get(seat.id), (), {}, (), False) for seat in seats}
    sides = await sides_of(tx, case)
    given = newest_of(await person_consents.of_case(tx, case.id))
    rule = requires_physician(await policies_of(tx, consultation, sides))
    needed = required(sides.countries)
    return {
        seat.id: _of(seat, decisions.get(seat.id), needed, given, sides.recipients, rule) for seat in seats
    }


async def policies_of(tx: Transaction, consultation: Consultation, sides: Sides) -> list[Policy]:
    """Those its running session began under; for a site that came later, those that hold now."""
    running = await sessions.unended(tx, consultation.id)
    kept = await site_policies.of_session(tx, running[0].id) if running else []
    later = set(sides.pairs) - {policy.pair for policy in kept}
    return [*kept, *(await site_policies.newest(tx, later))] if later else kept


async def keep_policies(tx: Transaction, consultation: Consultation, session_id: str) -> None:
    """The session that begins now goes by what holds now, whatever is changed meanwhile."""
    case = await cases.by_id(tx, consultation.case_id)
    if case is not None:
        pairs = (await sides_of(tx, case)).pairs
        await site_policies.keep(tx, session_id, await site_policies.newest(tx, pairs))


async def keep_later(tx: Transaction, consultation: Consultation, sides: Sides) -> None:
    """For a site that comes into a running session: what holds for it now is kept with the session too."""
    for session in await sessions.unended(tx, consultation.id):
        kept = {policy.pair for policy in await site_policies.of_session(tx, session.id)}
        later = [pair for pair in sides.pairs if pair not in kept]
        await site_policies.keep(tx, session.id, await site_policies.newest(tx, later))


async def patients_seats(tx: Transaction, case_id: str) -> list[Seat]:
    """Every seat of the case at which the patient sits or sat, by what was said at its door."""
    seats = await consultations.seats_of_case(tx, case_id)
    said = await consents.seats_with_patient(tx, {seat.id for seat in seats})
    return [seat for seat in seats if sits_at(seat) or seat.id in said]


def _of(
    seat: Seat,
    said: Consent | None,
    needed: tuple[str, ...],
    given: dict[str, Given],
    recipients: tuple[str, ...],
    rule: bool,
) -> Recordable:
    patient = sits_at(seat) or (said is not None and said.patient)
    lacking = missing(needed, given, recipients) if patient else []
    grant = grant_of(said)
    if lacking or (said is not None and not _read(said, needed)):
        grant = None
    return Recordable(decision_of(said), grant, patient and rule, tuple(lacking))


def _read(said: Consent, needed: tuple[str, ...]) -> bool:
    """Whether everybody at the seat has agreed to all of these, each in the version that is asked for now."""
    if said.texts is None:  # answered before consents had purposes
        return True
    return all(one in said.texts and said.texts[one][0] == newest(one) for one in needed)
