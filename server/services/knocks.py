"""Knocking at a taken seat: who holds the used link asks, somebody seated and verified answers by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.consent import clean_name
from server.domain.consultation import TAKEN, require_joinable
from server.domain.errors import Refused
from server.services.access import behind_link, seat_and_consultation
from server.services.context import Context
from server.services.limiting import Attempts
from server.storage import audit
from server.storage import seats as chairs
from server.storage.ids import hashed, new_cookie, new_id

KNOCK_LIFE_MS = 10 * 60_000
MAX_WAITING = 5


@dataclass(frozen=True, slots=True)
class Knocked:
    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnockState:
    """`waiting`, `admitted` or `refused`; `secret` is the seat cookie, given once."""

    state: str
    secret: str = field(default="", repr=False)


class Knocks:
    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    async def knock(self, seat_id: str, token: str, name: str, address: str) -> Knocked:
        """Raises Refused: `link_unknown`, `link_dead`, `link_unused`, `not_open`, `too_many_knocks` …"""
        await self._attempts.knock(seat_id, address)
        shown = clean_name(name)
        if not shown:
            raise Refused("bad_request")
        now_ms, secret = self._context.now_ms(), new_cookie()
        async with self._context.database.write() as tx:
            _, consultation, state = await behind_link(tx, seat_id, token, now_ms)
            require_joinable(consultation, now_ms)
            if state != TAKEN:
                raise Refused("link_unused")
            if await chairs.count_waiting(tx, seat_id, now_ms - KNOCK_LIFE_MS) >= MAX_WAITING:
                raise Refused("too_many_knocks")
            row = chairs.KnockRow(new_id(), seat_id, shown, "waiting", now_ms)
            await chairs.add_knock(tx, row, hashed(secret))
            entry = audit.Entry(
                "knock", "seat", seat_id, address, seat_id=seat_id, case_id=consultation.case_id
            )
            await audit.append(tx, now_ms, entry)
        await self._context.live.knocked(consultation.id, row.id, seat_id, shown, now_ms)
        return Knocked(row.id, secret)

    async def state(self, seat_id: str, secret: str | None, address: str) -> KnockState:
        """How the knock stands; the first look after admission brings the seat's cookie.

        Raises Refused `knock_unknown`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            row = await chairs.knock_by_secret(tx, seat_id, hashed(secret or ""))
        if row is None:
            raise Refused("knock_unknown")
        if row.state == "waiting":
            return KnockState("waiting" if now_ms - row.created_ms < KNOCK_LIFE_MS else "refused")
        if row.state != "admitted":
            return KnockState("admitted" if row.state == "used" else "refused")
        cookie = new_cookie()
        async with self._context.database.write() as tx:
            if not await chairs.move_knock(tx, row.id, "admitted", "used"):
                return KnockState("admitted")
            _, consultation = await seat_and_consultation(tx, seat_id)
            require_joinable(consultation, now_ms)
            await chairs.revoke_credentials_of_seat(tx, seat_id, now_ms)
            await chairs.add_credential(tx, new_id(), seat_id, hashed(cookie), now_ms, None)
            entry = audit.Entry(
                action="seat_taken",
                subject_type="seat",
                subject_id=seat_id,
                address=address,
                seat_id=seat_id,
                case_id=consultation.case_id,
                detail={"by": "knock"},
            )
            await audit.append(tx, now_ms, entry)
        return KnockState("admitted", cookie)

    async def answer(self, room: str, knock_id: str, accept: bool, by_seat: str) -> None:
        """Admitting ends the seat's first credential at once. Idempotent; raises Refused `knock_unknown`."""
        now_ms = self._context.now_ms()
        fallen: list[str] = []
        async with self._context.database.write() as tx:
            row = await chairs.knock_by_id(tx, knock_id)
            if row is None:
                raise Refused("knock_unknown")
            seat, consultation = await seat_and_consultation(tx, row.seat_id)
            if seat.consultation_id != room:
                raise Refused("knock_unknown")
            to_state = "admitted" if accept else "refused"
            if not await chairs.move_knock(tx, knock_id, "waiting", to_state, by_seat):
                return
            if accept:
                fallen = await chairs.revoke_credentials_of_seat(tx, row.seat_id, now_ms)
                await chairs.refuse_other_knocks(tx, row.seat_id, knock_id)
            entry = audit.Entry(
                action=f"knock_{to_state}",
                subject_type="seat",
                subject_id=row.seat_id,
                address="",
                seat_id=by_seat,
                case_id=consultation.case_id,
            )
            await audit.append(tx, now_ms, entry)
        for credential_id in fallen:
            await self._context.live.credential_revoked(credential_id)
