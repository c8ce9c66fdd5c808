"""What is said beside the room: events of a page that change nothing in the room's document.

A page sends one as any other event and it is checked as any other: rate, message, authority, who sits there,
what the seat may do. Then the application answers it: it keeps what is to be kept, says what the others hear.
Must not: know what an aside means, keep anything, change a room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from signaling.document import RoomDocument
from signaling.ports import Outbox, Silent, Ticket
from signaling.seat import Seat
from signaling.steps import sitting
from signaling.store import RoomStore
from signaling.wire import Ack, Id, Message, refused

MAX_CHAT_CHARS = 2000

OpeningStep = Literal["introduction", "hearing", "identity", "languages", "confidentiality"]
SkipReason = Literal["emergency", "done_before", "no_time", "other"]


class Chat(Message):
    """A line of the consultation's chat. `id`: the page's own; the same sent again is the same message."""

    id: Id
    text: Annotated[str, Field(min_length=1, max_length=MAX_CHAT_CHARS)]


class Conduct(Message):
    """An interpreter's opening of the session: these steps are done, or left out for a reason."""

    steps: Annotated[list[OpeningStep], Field(min_length=1, max_length=5)]
    outcome: Literal["done", "skipped"]
    reason: SkipReason | None = None

    @model_validator(mode="after")
    def _with_its_reason(self) -> Conduct:
        if (self.outcome == "skipped") is (self.reason is None):
            raise ValueError("a reason belongs to what is skipped, and to nothing else")
        return self


class ShowTerm(Message):
    """A term of the case's glossary, to be shown to everybody."""

    term: Id


@dataclass(frozen=True, slots=True)
class Kind:
    """An aside's message, and the ability that a seat needs for it."""

    model: type[Message]
    ability: str


ASIDES: dict[str, Kind] = {
    "chat": Kind(Chat, "chat"),
    "conduct": Kind(Conduct, "conduct"),
    "term": Kind(ShowTerm, "term"),
}


@dataclass(frozen=True, slots=True)
class Sitting:
    """Who says it, and where; `session` None = nothing has begun yet.

    `recording`: somebody is being recorded now, by media's word; `recorded`: this seat is one of them.
    `out`: seats that have stepped out, or are to wait when they come: they are told nothing.
    """

    room: str
    session: str | None
    seat: str
    recording: bool = False
    recorded: bool = False
    out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: more for the ack of who said it, and an event for everybody present (them too).

    `then` is done once they were told, before the ack: nobody waits for a disk to be shown something.
    """

    ack: Mapping[str, object] = field(default_factory=dict)
    event: str | None = None
    payload: Mapping[str, object] = field(default_factory=dict)
    then: Callable[[], Awaitable[None]] | None = None


class AsideRefused(Exception):  # noqa: N818 - as on the wire
    """The application says no, with a stable code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Handler = Callable[[Sitting, Any], Awaitable[Answer]]


class Asides:
    """One per process: from the sockets to the application, and what it tells back to who is present."""

    def __init__(self, store: RoomStore, handlers: Mapping[str, Handler] | None = None) -> None:
        self._store = store
        self._handlers: dict[str, Handler] = dict(handlers or {})
        self._outbox: Outbox = Silent()

    def bind(self, outbox: Outbox) -> None:
        """Name the way to the pages."""
        self._outbox = outbox

    async def answer(self, event: str, ticket: Ticket, socket: str, message: Message) -> Ack:
        """The ack of one aside. Raises StoreAwayError, and what a handler raises but AsideRefused."""
        stored = await self._store.load(ticket.room)
        seat = None if stored is None else sitting(stored[1], ticket.seat, socket)
        if stored is None or seat is None:
            return refused("not_joined")
        _, document = stored
        if not document.able(seat, ASIDES[event].ability):
            return refused("forbidden")
        if seat.out:  # nobody's answer would reach them
            return refused("stepped_out")
        handler = self._handlers.get(event)
        if handler is None:
            return refused("internal")
        try:
            answer = await handler(_sitting(document, seat), message)
        except AsideRefused as error:
            return refused(error.code)
        if answer.event is not None:
            await self.tell(ticket.room, answer.event, answer.payload)
        if answer.then is not None:
            await answer.then()
        return {"ok": True, **answer.ack}

    async def tell(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        """To every page that sits in the room now and has not stepped out. Raises StoreAwayError."""
        stored = await self._store.load(room)
        for seat in () if stored is None else stored[1].inside:
            if seat.socket is not None:
                await self._outbox.send(seat.socket, event, dict(payload))


def _sitting(document: RoomDocument, seat: Seat) -> Sitting:
    runs = document.session is not None and document.pause is None
    recording = runs and any(one.admitted is not None for one in document.present)
    return Sitting(
        room=document.room,
        session=document.session,
        seat=seat.id,
        recording=recording,
        recorded=recording and seat.admitted is not None,
        out=frozenset(one.id for one in document.seats if one.out),
    )
