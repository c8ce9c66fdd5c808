"""`signaling.ports.Gate`: the application's authority over sockets. Only a seat's cookie is proof."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from aiohttp import web

from server.domain.consultation import Consultation, require_joinable
from server.domain.errors import Refused
from server.domain.trail import ROOM_ENTERED
from server.services.access import seat_and_consultation
from server.services.bundle import Services
from server.storage import audit
from server.storage import seats as chairs
from server.storage.seats import Credential
from server.web.cookies import seat_cookie_name
from server.web.keys import ADDRESS
from signaling.ports import Refusal, Ticket

CACHE_S = 1.5
MAX_CACHED = 10_000


class SeatGate:
    """Admits sockets; says whether an admission still holds (remembered for 1.5 s, less on revoke)."""

    def __init__(self, services: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._monotonic = monotonic
        self._held: dict[str, tuple[float, bool]] = {}

    async def admit_socket(self, seat: str, cookies: Mapping[str, str], asked: object) -> Ticket | Refusal:
        """That somebody enters the room, where the patient is seen and heard, is audited."""
        context = self._services.context
        secret = cookies.get(seat_cookie_name(context.settings, seat))
        credential = await self._services.seats.credential(seat, secret)
        if credential is None:
            return Refusal("no_credential")
        try:
            async with context.database.read() as tx:
                _, consultation = await seat_and_consultation(tx, seat)
            require_joinable(consultation, context.now_ms())
        except Refused as refused:
            return Refusal(refused.code)
        await self._note_entering(seat, consultation, credential, asked)
        return Ticket(seat=seat, room=consultation.id, credential_id=credential.id)

    async def _note_entering(
        self, seat: str, consultation: Consultation, credential: Credential, asked: object
    ) -> None:
        entry = audit.Entry(
            ROOM_ENTERED,
            "consultation",
            consultation.id,
            asked.get(ADDRESS, "") if isinstance(asked, web.Request) else "",
            seat_id=seat,
            case_id=consultation.case_id,
        )
        await self._services.looks.note(entry, ROOM_ENTERED, credential.id)

    async def still_valid(self, ticket: Ticket) -> bool:
        now = self._monotonic()
        asked = self._held.get(ticket.credential_id)
        if asked is not None and now - asked[0] < CACHE_S:
            return asked[1]
        context = self._services.context
        async with context.database.read() as tx:
            credential = await chairs.credential_by_id(
                tx, ticket.credential_id, context.oldest_session_ms, context.now_ms()
            )
        valid = credential is not None and credential.seat_id == ticket.seat
        if len(self._held) >= MAX_CACHED:
            self._held.clear()
        self._held[ticket.credential_id] = (now, valid)
        return valid

    def forget(self, credential_id: str) -> None:
        """The next question about this credential goes to the books."""
        self._held.pop(credential_id, None)
