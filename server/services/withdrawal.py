"""Consent withdrawn after the session: asked for here, blocked at once, destroyed by `server/runtime`.

A withdrawal while the session still runs ends the recording of that seat too and is carried out after the
session; one under a legal hold is noted, access is blocked, and it is carried out when the hold is lifted.
"""

from __future__ import annotations

from server.domain.consent import CONSENT_VERSION
from server.domain.consultation import OVER
from server.domain.errors import Refused
from server.domain.retention import WITHDRAWAL_REASONS
from server.services.access import seat_and_consultation
from server.services.consent import Consents
from server.services.context import Context
from server.storage import audit, consents, consultations, destructions, retentions, sessions
from server.storage.database import Transaction
from server.storage.destructions import REQUESTED, WHOLE, Destruction
from server.storage.ids import new_id


class Withdrawals:
    def __init__(self, context: Context, deciding: Consents) -> None:
        self._context = context
        self._deciding = deciding

    async def withdraw(
        self, recording: str, seat: str, reason: str, by: str, address: str, *, account: str | None = None
    ) -> Destruction:
        """From the end of this call nothing of the seat in this recording is shown or played any more.

        `by`: the seat itself (its credential) or an account; `account` is given when it is one, and then
        whoever is not the seat's own acts on its behalf. Raises Refused `not_found`, `bad_request`,
        `withdrawn_already`, `destroyed`.
        """
        if reason not in WITHDRAWAL_REASONS:
            raise Refused("bad_request")
        async with self._context.database.write() as tx:
            row, goes_on = await self.ask(tx, recording, seat, reason, by, address, account=account)
        await self.decline(seat, goes_on, address)
        return row

    async def ask(
        self,
        tx: Transaction,
        recording: str,
        seat: str,
        reason: str,
        by: str,
        address: str,
        *,
        account: str | None = None,
    ) -> tuple[Destruction, str]:
        """`withdraw` as a part of what is being written; with what `decline` wants to know after it.

        Raises Refused as `withdraw`, and nothing is written then.
        """
        now_ms = self._context.now_ms()
        row, goes_on = await self._asked(tx, recording, seat, reason, by, account, now_ms)
        await destructions.add(tx, row)
        entry = audit.Entry(
            "consent_withdrawn",
            "recording",
            recording,
            address,
            account_id=account,
            seat_id=seat,
            case_id=row.case_id,
            detail={"reason": reason, "on_behalf": int(row.on_behalf)},
        )
        await audit.append(tx, now_ms, entry)
        return row, goes_on

    async def decline(self, seat: str, goes_on: str, address: str) -> None:
        """The consultation may go on: not with this seat recorded."""
        if goes_on:
            await self._deciding.decide(seat, "declined", (), goes_on, CONSENT_VERSION, address)

    async def withdraw_seat(self, seat: str, address: str) -> list[Destruction]:
        """All that was recorded of this seat in its consultation so far, by the wish of who sits there.

        Asked again it asks for nothing more. Raises Refused `not_found`.
        """
        async with self._context.database.read() as tx:
            _, consultation = await seat_and_consultation(tx, seat)
            recordings = [each.id for each in await sessions.of_consultation(tx, consultation.id)]
        asked = []
        for recording in recordings:
            try:
                asked.append(await self.withdraw(recording, seat, "consent_withdrawn", seat, address))
            except Refused as refused:
                if refused.code not in ("withdrawn_already", "destroyed"):
                    raise
        return asked

    async def _asked(
        self,
        tx: Transaction,
        recording: str,
        seat: str,
        reason: str,
        by: str,
        account: str | None,
        now_ms: int,
    ) -> tuple[Destruction, str]:
        """The row, and the language of a grant that would let the seat be recorded again (else empty)."""
        kept = await retentions.get(tx, recording)
        sitting = await consultations.seat_by_id(tx, seat)
        if kept is None or sitting is None or sitting.consultation_id != kept.consultation_id:
            raise Refused("not_found")
        blocked = await destructions.blocked(tx, recording)
        if WHOLE in blocked:
            raise Refused("destroyed")
        if seat in blocked:
            raise Refused("withdrawn_already")
        newest = await consents.newest_of_seat(tx, seat)
        consultation = await consultations.by_id(tx, kept.consultation_id)
        over = consultation is None or consultation.state in OVER
        goes_on = newest.language if newest and newest.decision == "granted" and not over else ""
        on_behalf = account is not None and account != sitting.account_id
        row = Destruction(
            new_id(),
            recording,
            seat,
            kept.case_id,
            "withdrawn",
            reason,
            by,
            on_behalf,
            now_ms,
            REQUESTED,
            {},
        )
        return row, goes_on
