"""“The interpreter is three minutes away”: said before joining, told to those who wait."""

from __future__ import annotations

import contextlib
from typing import Any

from server.domain.arrival import Arrival, arrival, is_believed
from server.domain.consultation import OVER, effective_state
from server.domain.errors import Refused
from server.services.access import seat_and_consultation
from server.services.context import Context, RoomsAwayError
from server.storage import arrivals, audit, consultations

INTERPRETER = "interpreter"


class Arrivals:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def say(
        self, seat_id: str, minutes: int | None, address: str, account: str | None = None
    ) -> dict[str, Any]:
        """What those who wait are told. `minutes` 0 = ready, None = taken back; `account`: a coordinator's.

        Raises Refused `not_found`, `forbidden` (no interpreter's seat), `ended`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            seat, consultation = await seat_and_consultation(tx, seat_id)
            if seat.role != INTERPRETER:
                raise Refused("forbidden")
            if effective_state(consultation, now_ms) in OVER:
                raise Refused("ended")
            by = "seat" if account is None else "coordinator"
            made = None if minutes is None else arrival(seat_id, minutes, by, now_ms)
            await arrivals.put(tx, seat_id, made)
            entry = audit.Entry(
                action="arrival_said",
                subject_type="seat",
                subject_id=seat_id,
                address=address,
                account_id=account,
                seat_id=None if account else seat_id,
                case_id=consultation.case_id,
                detail={} if minutes is None else {"minutes": minutes},
            )
            await audit.append(tx, now_ms, entry)
        payload = _told(made, now_ms) if made else {"participant": seat_id, "ready_in_ms": None}
        with contextlib.suppress(RoomsAwayError):  # who comes in reads it from the books
            await self._context.live.told(consultation.id, "arrival", payload)
        return payload

    async def of_seat(self, seat_id: str) -> list[dict[str, Any]]:
        """Who is on the way to this seat's consultation, and not given up yet. Raises Refused `not_found`."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            _, consultation = await seat_and_consultation(tx, seat_id)
            seats = {seat.id: seat for seat in await consultations.seats_of(tx, {consultation.id})}
            found = await arrivals.of_seats(tx, seats)
        return [
            {**_told(one, now_ms), "name": seats[one.seat_id].name}
            for one in found
            if is_believed(one, now_ms)
        ]


def _told(one: Arrival, now_ms: int) -> dict[str, Any]:
    """Spans instead of instants: the clocks of pages are not ours."""
    return {
        "participant": one.seat_id,
        "ready_in_ms": one.ready_at_ms - now_ms,
        "said_ago_ms": now_ms - one.said_at_ms,
        "ready": one.ready_at_ms <= one.said_at_ms,
        "said_by": one.said_by,
    }
