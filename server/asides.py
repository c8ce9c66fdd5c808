"""The joint between what pages say beside the room and the use cases that keep it. It decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from server.domain.errors import Refused
from server.services.bundle import Services
from signaling.asides import Answer, AsideRefused, Asides, Chat, Conduct, Handler, Sitting
from signaling.store import RoomStore


def asides_of(services: Services, store: RoomStore) -> Asides:
    """Every aside with the use case behind it."""

    async def chat(sitting: Sitting, message: Chat) -> Answer:
        said = await services.chat.say(sitting.seat, sitting.session, message.id, message.text)
        return Answer(ack={"message": said}, event="chat", payload=said)

    async def conduct(sitting: Sitting, message: Conduct) -> Answer:
        steps = await services.conduct.confirm(
            sitting.seat, sitting.session, message.steps, message.outcome, message.reason
        )
        return Answer(event="conduct", payload={"steps": steps})

    return Asides(store, {"chat": _refusing(chat), "conduct": _refusing(conduct)})


def _refusing(handle: Callable[[Sitting, Any], Awaitable[Answer]]) -> Handler:
    """The application's refusals in the wire's words."""

    async def handler(sitting: Sitting, message: Any) -> Answer:
        try:
            return await handle(sitting, message)
        except Refused as refused:
            raise AsideRefused(refused.code) from None

    return handler
