"""A seat's decision on being recorded: stored first, then acted on in the live room."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.consent import Consent, checked_persons, grant_of
from server.services.access import seat_and_consultation
from server.services.context import Context
from server.storage import audit, consents
from server.storage.ids import new_id


class Consents:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def decide(
        self, seat_id: str, decision: str, persons: Sequence[str], language: str, version: str, address: str
    ) -> Consent:
        """Raises Refused `consent_outdated` or `consent_missing` (a grant names everybody at the seat)."""
        names = checked_persons(decision, persons, version)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            seat, consultation = await seat_and_consultation(tx, seat_id)
            newest = await consents.newest_of_seat(tx, seat_id)
            # Two decisions in one millisecond must keep their order.
            at_ms = max(now_ms, newest.at_ms + 1) if newest else now_ms
            consent = Consent(
                new_id(), seat.consultation_id, seat_id, decision, names, version, language, at_ms
            )
            await consents.add(tx, consent)
            entry = audit.Entry(
                action=f"consent_{decision}",
                subject_type="seat",
                subject_id=seat_id,
                address=address,
                seat_id=seat_id,
                case_id=consultation.case_id,
                detail={"version": version, "language": language, "persons": len(names)},
            )
            await audit.append(tx, now_ms, entry)
        await self._context.live.consent_changed(seat.consultation_id, seat_id, decision, grant_of(consent))
        return consent
