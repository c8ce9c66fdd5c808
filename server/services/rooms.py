"""A room's books: seats, sessions, epochs. Signaling reads them through `server/directory.py`."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.consultation import OVER, chair_ranks, effective_state, state_after_session, waits_first
from server.domain.errors import Refused
from server.domain.meeting import JOINED, STEP_IN
from server.domain.permissions import Role, abilities, chaired
from server.domain.session import Pause, Session, continues
from server.services.calling_off import called_off
from server.services.case_hours import room_entered, room_left, talk_begun
from server.services.context import Context
from server.services.knocks import KNOCK_LIFE_MS
from server.services.recordable import keep_policies, recordable
from server.storage import accounts, audit, consultations, sessions
from server.storage import seats as chairs
from server.storage.ids import new_id
from server.storage.seats import KnockRow
from server.storage.standing import Standing, standing_of


@dataclass(frozen=True, slots=True)
class SeatView:
    """One seat of a room, with everything the room needs to know of it."""

    id: str
    role: str
    name: str = field(repr=False)
    site: str
    time_zone: str
    language: str
    verified: bool
    abilities: frozenset[str]
    chaired: frozenset[str]
    chair_rank: int | None
    consent: str
    grant: str | None
    waits: bool
    accompanied: bool
    accompanies: bool


@dataclass(frozen=True, slots=True)
class RoomView:
    seats: tuple[SeatView, ...]
    knocks: tuple[KnockRow, ...]
    over: bool


class Rooms:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def view(self, room: str) -> RoomView:
        """Raises Refused `not_found`."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            consultation = await consultations.by_id(tx, room)
            if consultation is None:
                raise Refused("not_found")
            sites = await accounts.all_sites(tx)
            seats = await consultations.seats_of(tx, {room})
            ids = {seat.id for seat in seats}
            verified = await chairs.verified_seats(tx, ids, now_ms)
            recorded = await recordable(tx, consultation, seats)
            knocks = await chairs.waiting_knocks(tx, ids, now_ms - KNOCK_LIFE_MS)
        ranks = chair_ranks(seats)
        views = tuple(
            SeatView(
                id=seat.id,
                role=seat.role,
                name=seat.name,
                site=sites[seat.site_id].name,
                time_zone=sites[seat.site_id].time_zone,
                language=seat.language,
                verified=seat.id in verified,
                abilities=abilities(seat.role, verified=seat.id in verified),
                chaired=chaired(seat.role),
                chair_rank=ranks[seat.id],
                consent=recorded[seat.id].decision,
                grant=recorded[seat.id].grant,
                waits=waits_first(seat),
                accompanied=recorded[seat.id].accompanied,
                accompanies=seat.role == Role.REFERRING_PHYSICIAN and seat.id in verified,
            )
            for seat in seats
        )
        return RoomView(views, tuple(knocks), effective_state(consultation, now_ms) in OVER)

    async def open_session(self, room: str, now_ms: int) -> Session:
        """Continues the unended session, or starts one; always with a new epoch.

        Raises Refused `not_found` or `ended`.
        """
        grace_ms = self._context.settings.session_grace_s * 1000
        async with self._context.database.write() as tx:
            consultation = await consultations.by_id(tx, room)
            if consultation is None:
                raise Refused("not_found")
            if effective_state(consultation, now_ms) in OVER:
                raise Refused("ended")
            session: Session | None = None
            for old in await sessions.unended(tx, room):
                if session is None and continues(old, now_ms, grace_ms):
                    epoch = await sessions.grant_epoch(tx, old.id, now_ms)
                    session = Session(old.id, room, epoch, old.started_ms, None, None, old.pause)
                else:
                    await sessions.end(tx, old.id, "emptied", old.emptied_ms or now_ms)
                    await room_left(tx, now_ms, consultation, old.id, "emptied")
            if session is None:
                session = Session(new_id(), room, 1, now_ms, None, None)
                await sessions.add(tx, session)
                await keep_policies(tx, consultation, session.id)
                entry = audit.Entry(
                    "session_started", "session", session.id, "", case_id=consultation.case_id
                )
                await audit.append(tx, now_ms, entry)
            await consultations.set_state(tx, room, "live")
            await room_entered(tx, now_ms, consultation.case_id)
        return session

    async def standing(self, session_id: str) -> Standing:
        """How a session stands, for a room whose memory is gone."""
        async with self._context.database.read() as tx:
            return await standing_of(tx, session_id)

    async def next_epoch(self, session_id: str) -> int:
        """Raises LookupError for an unknown session."""
        async with self._context.database.write() as tx:
            return await sessions.grant_epoch(tx, session_id, self._context.now_ms())

    async def mark_emptied(self, session_id: str, now_ms: int) -> None:
        async with self._context.database.write() as tx:
            await sessions.mark_emptied(tx, session_id, now_ms)

    async def _mark_occupied(self, session_id: str) -> None:
        async with self._context.database.write() as tx:
            await sessions.mark_occupied(tx, session_id)

    async def end_session(self, room: str, session_id: str, reason: str, now_ms: int) -> None:
        """Idempotent. `ended` and `cancelled` close the consultation and kill its links."""
        async with self._context.database.write() as tx:
            consultation = await consultations.by_id(tx, room)
            ended_now = await sessions.end(tx, session_id, reason, now_ms)
            if consultation is None:
                return
            state = state_after_session(consultation, reason, now_ms)
            if state != consultation.state:
                ended_ms = now_ms if state in OVER else None
                await consultations.set_state(tx, room, state, ended_ms)
            if ended_now:
                entry = audit.Entry(
                    action="session_ended",
                    subject_type="session",
                    subject_id=session_id,
                    address="",
                    case_id=consultation.case_id,
                    detail={"reason": reason},
                )
                await audit.append(tx, now_ms, entry)
                await room_left(tx, now_ms, consultation, session_id, reason)

    async def cancel(self, consultation_id: str, now_ms: int) -> None:
        """Calls a consultation off, whatever happens in its room. Raises Refused `not_found`, `ended`.

        The room is closed here if it is one of this process, else by its server's `close_over`.
        """
        async with self._context.database.write() as tx:
            await called_off(tx, consultation_id, now_ms)
        await self._context.live.room_closed(consultation_id, "cancelled")

    async def close_over(self, now_ms: int) -> None:
        """Closes rooms whose consultation another process has cancelled or ended in the books."""
        async with self._context.database.read() as tx:
            running = await sessions.unended(tx)
            found = [(one, await consultations.by_id(tx, one.consultation_id)) for one in running]
        for session, consultation in found:
            if consultation is None or consultation.state not in OVER:
                continue
            if await self._context.live.presence(consultation.id):
                await self._context.live.room_closed(consultation.id, consultation.state)
            else:
                await self.end_session(consultation.id, session.id, consultation.state, now_ms)

    async def end_abandoned(self, now_ms: int) -> list[str]:
        """Ends sessions empty for longer than the grace (a server was down meanwhile); returns their ids.

        After a crash nobody marked them empty: for those the grace starts now.
        """
        grace_ms = self._context.settings.session_grace_s * 1000
        async with self._context.database.read() as tx:
            open_ones = await sessions.unended(tx)
        ended: list[str] = []
        for session in open_ones:
            if await self._context.live.presence(session.consultation_id):
                if session.emptied_ms is not None:  # somebody returned before the room let go
                    await self._mark_occupied(session.id)
            elif session.emptied_ms is None:
                await self.mark_emptied(session.id, now_ms)
            elif not continues(session, now_ms, grace_ms):
                await self.end_session(session.consultation_id, session.id, "emptied", now_ms)
                ended.append(session.id)
        return ended

    async def keep_pause(self, session_id: str, pause: Pause | None, by_seat: str, now_ms: int) -> None:
        """The session is paused, or no more, by the wish of this seat. Told again it writes nothing."""
        async with self._context.database.write() as tx:
            session = await sessions.by_id(tx, session_id)
            if session is None or session.pause == pause:
                return
            consultation = await consultations.by_id(tx, session.consultation_id)
            await sessions.set_pause(tx, session_id, pause)
            entry = audit.Entry(
                action="recording_resumed" if pause is None else "recording_paused",
                subject_type="session",
                subject_id=session_id,
                address="",
                seat_id=by_seat,
                case_id=None if consultation is None else consultation.case_id,
                detail={} if pause is None else {"reason": pause.reason},
            )
            await audit.append(tx, now_ms, entry)

    async def note(self, session_id: str, at_ms: int, what: str, seat_id: str | None) -> None:
        """One line of the time line. With who joined, or was let in, the talk itself may begin."""
        async with self._context.database.write() as tx:
            await sessions.note(tx, session_id, at_ms, what, seat_id)
            session = await sessions.by_id(tx, session_id) if what in (JOINED, STEP_IN) else None
            consultation = await consultations.by_id(tx, session.consultation_id) if session else None
            if consultation is not None:
                await talk_begun(tx, at_ms, consultation.case_id, session_id)
