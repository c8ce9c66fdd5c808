"""Sitting down: by a link, by one's account; what a seat sees of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.consultation import TAKEN, Consultation, Seat, require_joinable
from server.domain.errors import Refused
from server.domain.staff import LICENSED
from server.services.access import behind_link, seat_and_consultation
from server.services.accounts import SignedIn
from server.services.context import Context
from server.services.limiting import Attempts
from server.storage import audit
from server.storage import seats as chairs
from server.storage.database import Transaction
from server.storage.ids import hashed, new_cookie, new_id
from server.storage.seats import Credential


@dataclass(frozen=True, slots=True)
class Seated:
    """The outcome of sitting down. `secret` is the new cookie; empty when the old one still holds."""

    seat: Seat
    secret: str = field(default="", repr=False)


class Seats:
    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    async def credential(self, seat_id: str, secret: str | None) -> Credential | None:
        """The live credential behind a seat's cookie."""
        if not secret:
            return None
        async with self._context.database.read() as tx:
            return await chairs.credential_by_secret(
                tx, seat_id, hashed(secret), self._context.oldest_session_ms, self._context.now_ms()
            )

    async def redeem(
        self, seat_id: str, token: str, address: str, *, held: Credential | None, signed_in: SignedIn | None
    ) -> Seated:
        """First use of a link takes the seat; exactly one of many at once wins.

        `held`: the browser's own live credential of this seat; with it a used link is no refusal.
        Raises Refused: `link_unknown`, `link_dead`, `link_used`, `not_open`, `too_many_attempts`.
        """
        await self._attempts.link(address)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            seat, consultation, state = await behind_link(tx, seat_id, token, now_ms)
            if state == TAKEN and held is not None:
                return Seated(seat)
            if state == TAKEN:
                raise Refused("link_used")
            require_joinable(consultation, now_ms)
            if not await chairs.take_link(tx, seat_id, hashed(token)):
                raise Refused("link_used")
            own = signed_in if signed_in and signed_in.account.id == seat.account_id else None
            secret, fallen = await self._seat(tx, seat, consultation, "link", address, own)
        await self._tell(fallen)
        return Seated(seat, secret)

    async def take(self, seat_id: str, signed_in: SignedIn, address: str, held: Credential | None) -> Seated:
        """The seat's own account sits down, whoever sat there by link.

        Raises Refused: `forbidden`, `not_verified` (a physician's licence is not checked, or expired),
        `not_open`, `ended`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            seat, consultation = await seat_and_consultation(tx, seat_id)
            if seat.account_id != signed_in.account.id:
                raise Refused("forbidden")
            if seat.role in LICENSED and not signed_in.account.verified:
                raise Refused("not_verified")
            require_joinable(consultation, now_ms)
            if held is not None and held.account_session_id == signed_in.session.id:
                return Seated(seat)
            await chairs.mark_taken(tx, seat_id)
            secret, fallen = await self._seat(tx, seat, consultation, "account", address, signed_in)
        await self._tell(fallen)
        return Seated(seat, secret)

    async def _seat(
        self,
        tx: Transaction,
        seat: Seat,
        consultation: Consultation,
        how: str,
        address: str,
        own: SignedIn | None,
    ) -> tuple[str, list[str]]:
        """A new credential; whoever held the seat before loses it."""
        now_ms, secret = self._context.now_ms(), new_cookie()
        fallen = await chairs.revoke_credentials_of_seat(tx, seat.id, now_ms)
        session_id = own.session.id if own else None
        await chairs.add_credential(tx, new_id(), seat.id, hashed(secret), now_ms, session_id)
        entry = audit.Entry(
            action="seat_taken",
            subject_type="seat",
            subject_id=seat.id,
            address=address,
            account_id=own.account.id if own else None,
            seat_id=seat.id,
            case_id=consultation.case_id,
            detail={"by": how},
        )
        await audit.append(tx, now_ms, entry)
        return secret, fallen

    async def _tell(self, fallen: list[str]) -> None:
        for credential_id in fallen:
            await self._context.live.credential_revoked(credential_id)
