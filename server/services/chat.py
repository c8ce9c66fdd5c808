"""The chat: say a line, once; read it at one's own seat, and afterwards beside the recording.

It must not log or audit what was said: the audit names the line, the line is in its table.
"""

from __future__ import annotations

from typing import Any

from server.domain.chat import MAX_CHARS, MAX_MESSAGES, ChatMessage
from server.domain.consultation import OVER, Seat, effective_state
from server.domain.errors import Refused
from server.services.access import seat_and_consultation
from server.services.context import Context
from server.services.follow_up import Withheld
from server.services.limiting import Attempts
from server.storage import accounts, audit, chat, consultations, sessions
from server.storage.database import Transaction
from server.storage.ids import new_id
from signaling.wording import cleaned


class Chat:
    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    async def say(
        self,
        seat_id: str,
        session: str | None,
        client_id: str,
        text: str,
        hidden_from: frozenset[str] = frozenset(),
    ) -> dict[str, Any]:
        """The line as everybody is told it. Said again under the same id it is the same line.

        Raises Refused `chat_empty`, `chat_full`, `too_many_messages`, `ended`, `not_found`.
        """
        kept = cleaned(text)[:MAX_CHARS]
        if not kept:
            raise Refused("chat_empty")
        async with self._context.database.read() as tx:
            seat, consultation = await seat_and_consultation(tx, seat_id)
            before = await chat.said(tx, consultation.id, seat_id, client_id)
        if before is not None:
            return told(before, seat)
        await self._attempts.message(seat_id)
        now_ms = self._context.now_ms()
        message = ChatMessage(
            new_id(), consultation.id, session, seat_id, client_id, kept, now_ms, hidden_from
        )
        async with self._context.database.write() as tx:
            twin = await chat.said(tx, consultation.id, seat_id, client_id)  # of another window, just now
            if twin is not None:
                return told(twin, seat)
            if effective_state(consultation, now_ms) in OVER:
                raise Refused("ended")
            if await chat.count(tx, consultation.id) >= MAX_MESSAGES:
                raise Refused("chat_full")
            await chat.add(tx, message)
            entry = audit.Entry(
                action="chat_said",
                subject_type="consultation",
                subject_id=consultation.id,
                address="",
                seat_id=seat_id,
                case_id=consultation.case_id,
                detail={"message": message.id},
            )
            await audit.append(tx, now_ms, entry)
        return told(message, seat)

    async def of_seat(self, seat_id: str) -> list[dict[str, Any]]:
        """What was said in this seat's consultation, but while it had stepped out.

        Raises Refused `not_found`, `ended`.

        While it runs: afterwards it is read beside the recording, by those who may.
        """
        async with self._context.database.read() as tx:
            _, consultation = await seat_and_consultation(tx, seat_id)
            if effective_state(consultation, self._context.now_ms()) in OVER:
                raise Refused("ended")
            return await _told_all(tx, consultation.id, seat_id)

    async def of_recording(
        self, recording: str, account: str, address: str, kept_back: Withheld
    ) -> dict[str, Any]:
        """`{messages, withheld, places}` of the recording's whole consultation; that it was read is audited.

        Raises Refused `not_found`. `ms` is the place on the recording's time line, null outside of it.
        `withheld`: how many lines stay back with the lanes of who wrote them.
        """
        async with self._context.database.read() as tx:
            session = await sessions.by_id(tx, recording)
            consultation = await consultations.by_id(tx, session.consultation_id) if session else None
            if session is None or consultation is None:
                raise Refused("not_found")
            said = await _told_all(tx, consultation.id)
            seats = await consultations.seats_of(tx, {consultation.id})
            sites = await accounts.all_sites(tx)
        messages = [one for one in said if one["participant"] not in kept_back]
        for message in messages:
            own = message.pop("session") == recording
            message["ms"] = max(0, message["at_ms"] - session.started_ms) if own else None
        if messages:
            entry = audit.Entry(
                action="chat_read",
                subject_type="recording",
                subject_id=recording,
                address=address,
                account_id=account,
                case_id=consultation.case_id,
            )
            async with self._context.database.write() as tx:
                await audit.append(tx, self._context.now_ms(), entry)
        at = dict.fromkeys(seat.site_id for seat in seats)
        places = [{"site": sites[one].name, "time_zone": sites[one].time_zone} for one in at]
        return {"messages": messages, "withheld": len(said) - len(messages), "places": places}


def told(message: ChatMessage, seat: Seat | None) -> dict[str, Any]:
    """One line as pages get it."""
    return {
        "id": message.client_id,
        "participant": message.seat_id,
        "name": seat.name if seat else "",
        "role": seat.role if seat else "",
        "session": message.session_id,
        "at_ms": message.at_ms,
        "text": message.text,
    }


async def _told_all(tx: Transaction, consultation: str, reader: str = "") -> list[dict[str, Any]]:
    seats = {seat.id: seat for seat in await consultations.seats_of(tx, {consultation})}
    said = await chat.of_consultation(tx, consultation)
    return [told(one, seats.get(one.seat_id)) for one in said if reader not in one.hidden_from]
