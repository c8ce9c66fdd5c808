"""The joint between what pages say beside the room and the use cases that keep it. It decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from server.domain.errors import Refused
from server.services.bundle import Services
from signaling.asides import Answer, AsideRefused, Asides, Chat, Conduct, Handler, ShowTerm, Sitting
from signaling.store import RoomStore


def asides_of(services: Services, store: RoomStore) -> Asides:
    """Every aside with the use case behind it."""

    async def chat(sitting: Sitting, message: Chat) -> Answer:
        said = await services.chat.say(
            sitting.seat, sitting.session, message.id, message.text, hidden_from=sitting.out
        )
        return Answer(ack={"message": said}, event="chat", payload=said)

    async def conduct(sitting: Sitting, message: Conduct) -> Answer:
        steps, news = await services.conduct.confirm(
            sitting.seat, sitting.session, message.steps, message.outcome, message.reason
        )
        if sitting.recording and sitting.session is not None:  # as for a term
            by = sitting.seat if sitting.recorded else None
            await services.conduct.mark(sitting.session, news, by)
        return Answer(event="conduct", payload={"steps": steps})

    async def term(sitting: Sitting, message: ShowTerm) -> Answer:
        at_ms = services.context.now_ms()
        shown = await services.glossary.shown(sitting.seat, message.term)
        told = {
            "term": shown.term,
            "texts": dict(shown.texts),
            "confirmed": shown.confirmed,
            "by": sitting.seat,
            "at_ms": at_ms,
        }
        session = sitting.session if sitting.recording else None
        if session is None:  # in a pause, or without anybody's consent, the time line is not written on
            return Answer({"marked": False}, "term", told)

        async def mark() -> None:
            by = sitting.seat if sitting.recorded else None
            await services.glossary.mark(session, at_ms, shown, by)

        return Answer({"marked": True}, "term", told, mark)

    handlers = {"chat": _refusing(chat), "conduct": _refusing(conduct), "term": _refusing(term)}
    return Asides(store, handlers)


def _refusing(handle: Callable[[Sitting, Any], Awaitable[Answer]]) -> Handler:
    """The application's refusals in the wire's words."""

    async def handler(sitting: Sitting, message: Any) -> Answer:
        try:
            return await handle(sitting, message)
        except Refused as refused:
            raise AsideRefused(refused.code) from None

    return handler
