"""“I cannot come”: said by who has the seat before the hour, and taken back; a coordinator's task then, and a
mail to them."""

from __future__ import annotations

from server.domain.appointment import REASONS, checked, require_declinable
from server.domain.people import Account
from server.services.access import seat_and_consultation
from server.services.context import Context
from server.services.mailing import announce_declined
from server.storage import audit, declined, mails
from server.storage.declined import Declined


class Declining:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def say(self, seat_id: str, reason: str | None, account: Account, address: str) -> None:
        """`reason` None: they can come after all. The seat stays theirs until a coordinator acts.

        Raises Refused `not_found`, `ended`, `under_way`, `bad_request`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            _, consultation = await seat_and_consultation(tx, seat_id)
            require_declinable(consultation, now_ms)
            if reason is None:
                await declined.take_back(tx, seat_id)
                if not await declined.of_hours(tx, {consultation.id}):
                    await mails.drop_declined(tx, consultation.id)
            else:
                await announce_declined(tx, consultation, now_ms)
                await declined.put(tx, Declined(seat_id, account.id, checked(reason, REASONS), now_ms))
            entry = audit.Entry(
                action="seat_declined_back" if reason is None else "seat_declined",
                subject_type="seat",
                subject_id=seat_id,
                address=address,
                account_id=account.id,
                case_id=consultation.case_id,
                detail={} if reason is None else {"reason": reason},
            )
            await audit.append(tx, now_ms, entry)
