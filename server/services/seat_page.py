"""What the room page knows before it joins: the seat itself, the consultation, the consent asked for."""

from __future__ import annotations

from typing import Any

from server.domain.consent import CONSENT_VERSION
from server.domain.consultation import Consultation, Seat, effective_state
from server.domain.permissions import Role
from server.domain.person_consent import GRANTED, required
from server.domain.site_policy import requires_physician
from server.services.access import seat_and_consultation
from server.services.case_sides import sides_of
from server.services.context import Context
from server.services.recordable import policies_of, recordable
from server.storage import accounts, cases, consents, consultations, destructions, sessions, telephones
from server.storage.database import Transaction


async def seat_page(context: Context, seat_id: str) -> dict[str, Any]:
    """Raises Refused `not_found`."""
    now_ms = context.now_ms()
    async with context.database.read() as tx:
        seat, consultation = await seat_and_consultation(tx, seat_id)
        seats = await consultations.seats_of(tx, {consultation.id})
        sites = await accounts.all_sites(tx)
        consent = await consents.newest_of_seat(tx, seat_id)
        recordings = [session.id for session in await sessions.of_consultation(tx, consultation.id)]
        blocked = [await destructions.blocked(tx, recording) for recording in recordings]
        reachable = _reachable(seat, seats)
        standing = (await recordable(tx, consultation, [seat]))[seat_id]
        asked = await _asked(tx, consultation)
        numbers = await _numbers(tx, reachable, consultation, now_ms)
    return {
        "seat": {
            "id": seat.id,
            "role": seat.role,
            "name": seat.name,
            "language": seat.language,
            "site": sites[seat.site_id].name,
            "time_zone": sites[seat.site_id].time_zone,
        },
        "consultation": {
            "id": consultation.id,
            "state": effective_state(consultation, now_ms),
            "starts_at_ms": consultation.starts_at_ms,
            "opens_at_ms": consultation.opens_at_ms,
            "closes_at_ms": consultation.closes_at_ms,
        },
        "now_ms": now_ms,
        "consent": None
        if consent is None
        else {
            "decision": consent.decision,
            "persons": list(consent.persons),
            "version": consent.version,
            "language": consent.language,
        },
        "consent_version": CONSENT_VERSION,
        # What the patient, who sits here, has not agreed to: the seat is not recorded for it.
        "missing": list(standing.missing) if standing.decision == GRANTED else [],
        "asked": asked,
        # All that was recorded of the seat so far is to be destroyed, or is.
        "destruction_asked": bool(blocked) and all(seat_id in seats_of for seats_of in blocked),
        "seats": [
            {
                "id": other.id,
                "role": other.role,
                "name": other.name,
                "language": other.language,
                "site": sites[other.site_id].name,
                "time_zone": sites[other.site_id].time_zone,
                "telephone": numbers.get(other.id),
                "emergency": (sites[other.site_id].emergency or None) if other in reachable else None,
            }
            for other in seats
        ],
    }


async def _asked(tx: Transaction, consultation: Consultation) -> dict[str, Any]:
    """What being recorded needs of everybody here, who receives it, and whether the seat rule holds: as a
    running session began, or as it would begin now."""
    case = await cases.by_id(tx, consultation.case_id)
    if case is None:
        return {"purposes": [], "recipients": [], "accompanied": False}
    sides = await sides_of(tx, case)
    return {
        "purposes": list(required(sides.countries)),
        "recipients": [site.name for site in sides.consulting],
        "accompanied": requires_physician(await policies_of(tx, consultation, sides)),
    }


def _reachable(reader: Seat, seats: list[Seat]) -> list[Seat]:
    """Whose number this reader may have: a patient only their own practice's."""
    if reader.role != Role.PATIENT:
        return seats
    return [
        seat for seat in seats if seat.site_id == reader.site_id and seat.role == Role.REFERRING_PHYSICIAN
    ]


async def _numbers(
    tx: Transaction, seats: list[Seat], consultation: Consultation, now_ms: int
) -> dict[str, str]:
    """Where each seat is reached when sound and picture fail, until the consultation is over.

    A physician's is the site's number; an interpreter's their own, if there is one.
    """
    if effective_state(consultation, now_ms) not in ("scheduled", "live"):
        return {}
    own = {seat.id: seat.account_id for seat in seats if seat.role == "interpreter" and seat.account_id}
    kept = await telephones.of(tx, {*own.values(), *(seat.site_id for seat in seats)})
    found = {seat.id: kept.get(own.get(seat.id, ""), kept.get(seat.site_id, "")) for seat in seats}
    return {seat: number for seat, number in found.items() if number}
