"""An agreed hour as pages are told it: times, people and rooms, nothing clinical."""

from __future__ import annotations

from typing import Any

from server.domain.appointment import ROOM
from server.services.two_clocks import clocks
from server.storage import accounts, appointments, calendars, consultations, declined, mails
from server.storage.database import Transaction


async def told(tx: Transaction, consultation_id: str) -> dict[str, Any]:
    """Raises LookupError for a consultation without an agreed hour."""
    consultation = await consultations.by_id(tx, consultation_id)
    appointment = (await appointments.of(tx, [consultation_id])).get(consultation_id)
    if consultation is None or appointment is None:
        raise LookupError("no agreed hour")
    sites = await accounts.all_sites(tx)
    seats = await consultations.seats_of(tx, {consultation_id})
    gone = await declined.of_seats(tx, [seat.id for seat in seats])
    booked = (await appointments.bookings_of(tx, [consultation_id])).get(consultation_id, [])
    rooms = {room.id: room for room in await calendars.rooms_of(tx, sites)}
    places = [
        sites[id_] for id_ in dict.fromkeys(seat.site_id for seat in seats if seat.role != "interpreter")
    ]
    return {
        "consultation": consultation_id,
        "case_id": consultation.case_id,
        "state": appointment.state if appointment.state != "booked" else consultation.state,
        "sequence": appointment.sequence,
        "starts_at_ms": consultation.starts_at_ms,
        "ends_at_ms": appointment.ends_at_ms,
        "begins": clocks(consultation.starts_at_ms, places),
        "ends": clocks(appointment.ends_at_ms, places),
        "languages": None if appointment.languages is None else list(appointment.languages),
        "seats": [
            {
                "id": seat.id,
                "role": seat.role,
                "name": seat.name,
                "account": seat.account_id,
                "language": seat.language,
                "missing": seat.id in appointment.missing,
                "declined": seat.id in gone,
            }
            for seat in seats
        ],
        "rooms": [
            {
                "id": one.resource_id,
                "name": rooms[one.resource_id].name,
                "site": sites[rooms[one.resource_id].site_id].name,
            }
            for one in booked
            if one.kind == ROOM
        ],
        "mails": (await mails.states_of(tx, [consultation_id])).get(consultation_id, {}),
        "side": appointment.side,
        "reason": appointment.reason,
    }
