"""`signaling.ports.Directory`: the application's books, as rooms read and write them."""

from __future__ import annotations

from typing import get_args

from server.domain.session import Pause
from server.services.bundle import Services
from signaling import ports
from signaling.ports import Consent, EndReason, Knock, RoomSeed, SeatSeed, SessionRef
from signaling.wire_interpreting import Hearing

_HEARING: dict[str, Hearing] = {word: word for word in get_args(Hearing)}
_CONSENT: dict[str, Consent] = {"granted": "granted", "declined": "declined"}


class Books:
    """Translates between the services' words and signaling's; decides nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def seed(self, room: str) -> RoomSeed:
        view = await self._services.rooms.view(room)
        seats = tuple(
            SeatSeed(
                id=seat.id,
                role=seat.role,
                name=seat.name,
                site=seat.site,
                time_zone=seat.time_zone,
                language=seat.language,
                verified=seat.verified,
                abilities=seat.abilities,
                chaired=seat.chaired,
                chair_rank=seat.chair_rank,
                consent=_CONSENT.get(seat.consent, "undecided"),
                grant=seat.grant,
                waits=seat.waits,
                accompanied=seat.accompanied,
                accompanies=seat.accompanies,
            )
            for seat in view.seats
        )
        knocks = tuple(Knock(row.id, row.seat_id, row.name, row.created_ms) for row in view.knocks)
        return RoomSeed(seats=seats, knocks=knocks, ended=view.over)

    async def open_session(self, room: str, now_ms: int) -> SessionRef:
        session = await self._services.rooms.open_session(room, now_ms)
        pause = session.pause
        standing = await self._services.rooms.standing(session.id)
        return SessionRef(
            id=session.id,
            epoch=session.epoch,
            started_at_ms=session.started_ms,
            pause=None if pause is None else ports.Pause(pause.seat_id, pause.reason, pause.since_ms),
            out=standing.out,
            let_in=standing.let_in,
            mode="simultaneous" if standing.mode == "simultaneous" else "consecutive",
            hearing={seat: word for seat, told in standing.hearing.items() if (word := _HEARING.get(told))},
            directions=standing.directions,
            listens=standing.listens,
        )

    async def next_epoch(self, session: str) -> int:
        return await self._services.rooms.next_epoch(session)

    async def end_session(self, room: str, session: str, reason: EndReason, now_ms: int) -> None:
        await self._services.rooms.end_session(room, session, reason, now_ms)

    async def keep_pause(self, session: str, pause: ports.Pause | None, by_seat: str, now_ms: int) -> None:
        kept = None if pause is None else Pause(pause.by, pause.reason, pause.since_ms)
        await self._services.rooms.keep_pause(session, kept, by_seat, now_ms)

    async def note(self, session: str, at_ms: int, what: str, seat: str | None) -> None:
        await self._services.rooms.note(session, at_ms, what, seat)

    async def answer_knock(self, room: str, knock: str, accept: bool, by_seat: str) -> None:
        await self._services.knocks.answer(room, knock, accept, by_seat)
