"""What is said beside the room: who may, who is told, and that the room itself does not change."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from server.domain.conduct import SKIP_REASONS, STEPS
from signaling import asides as sd
from signaling import events as ev
from signaling import messages as ms
from signaling.document import RoomDocument
from signaling.ports import Pause, Ticket
from signaling.store import MemoryRoomStore
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, ROOM, Post
from tests.support.stage import Stage

GOOD: dict[str, dict[str, object]] = {
    "chat": {"id": "m-1", "text": "An 1.5 mg <b>dose</b>"},
    "conduct": {"steps": ["introduction", "hearing"], "outcome": "done"},
    "term": {"term": "t-1"},
}
BAD: list[tuple[str, object, str]] = [
    ("chat", {"id": "m-1"}, "text"),
    ("chat", {"id": "m-1", "text": ""}, "text"),
    ("chat", {"id": "m-1", "text": "x" * (sd.MAX_CHAT_CHARS + 1)}, "text"),
    ("chat", {"id": "../m", "text": "x"}, "id"),
    ("chat", {"id": "m-1", "text": 1}, "text"),
    ("chat", {"id": "m-1", "text": "x", "html": "x"}, "html"),
    ("conduct", {"steps": [], "outcome": "done"}, "steps"),
    ("conduct", {"steps": ["small_talk"], "outcome": "done"}, "steps.0"),
    ("conduct", {"steps": ["hearing"], "outcome": "perhaps"}, "outcome"),
    ("conduct", {"steps": ["hearing"], "outcome": "skipped"}, ""),
    ("conduct", {"steps": ["hearing"], "outcome": "done", "reason": "no_time"}, ""),
    ("conduct", {"steps": ["hearing"], "outcome": "skipped", "reason": "lunch"}, "reason"),
    ("term", {}, "term"),
    ("term", {"term": 5}, "term"),
    ("term", {"term": "../t"}, "term"),
    ("term", {"term": "t-1", "texts": {"en": "what I like"}}, "texts"),
]


@pytest.mark.parametrize("event", sorted(sd.ASIDES))
def test_every_aside_has_an_example_an_ability_and_a_name_of_its_own(event: str) -> None:
    assert isinstance(ms.parse_as(sd.ASIDES[event].model, GOOD[event]), ms.Message)
    assert sd.ASIDES[event].ability
    assert event not in ms.INCOMING


@pytest.mark.parametrize(("event", "data", "field"), BAD)
def test_an_aside_outside_the_protocol_is_refused_with_its_field(
    event: str, data: object, field: str
) -> None:
    with pytest.raises(ms.BadMessage) as refused:
        ms.parse_as(sd.ASIDES[event].model, data)
    assert refused.value.field == field


def test_the_wire_and_the_books_know_the_same_steps_and_reasons() -> None:
    assert get_args(sd.OpeningStep) == STEPS
    assert get_args(sd.SkipReason) == SKIP_REASONS


class Room:
    """A room with people in it and an application that says everything again."""

    def __init__(self, document: RoomDocument) -> None:
        self.store = MemoryRoomStore()
        self.document = document
        self.post = Post()
        self.heard: list[tuple[sd.Sitting, sd.Chat]] = []
        self.asides = sd.Asides(self.store, {"chat": self.echo})
        self.asides.bind(self.post)

    async def begin(self) -> Room:
        assert await self.store.compare_and_set(ROOM, 0, replace(self.document, version=1))
        return self

    async def echo(self, sitting: sd.Sitting, message: sd.Chat) -> sd.Answer:
        if message.text == "no":
            raise sd.AsideRefused("chat_full")
        self.heard.append((sitting, message))
        return sd.Answer({"message": message.id}, "chat", {"text": message.text})

    async def say(self, seat: str, text: str = "x", socket: str | None = None) -> sd.Ack:
        ticket = Ticket(seat, ROOM, f"credential-{seat}")
        return await self.asides.answer("chat", ticket, socket or f"s-{seat}", sd.Chat(id="m", text=text))


def told(room: Room) -> set[str]:
    return {socket for socket, event, _ in room.post.sent if event == "chat"}


async def test_everybody_present_is_told_and_whoever_is_away_is_not() -> None:
    stage = Stage().live(REFERRING, CONSULTING, INTERPRETER)
    stage.on(ev.SocketLost(CONSULTING, f"s-{CONSULTING}"))
    room = await Room(stage.document).begin()
    assert await room.say(REFERRING) == {"ok": True, "message": "m"}
    assert told(room) == {f"s-{REFERRING}", f"s-{INTERPRETER}"}
    assert room.heard[0][0] == sd.Sitting(ROOM, "session-1", REFERRING)


async def test_a_socket_that_does_not_sit_there_says_nothing() -> None:
    room = await Room(Stage().live(REFERRING).document).begin()
    assert await room.say(REFERRING, socket="another") == {"ok": False, "code": "not_joined"}
    assert await room.say(CONSULTING) == {"ok": False, "code": "not_joined"}
    assert await room.say("seat-unknown") == {"ok": False, "code": "not_joined"}
    assert room.heard == []
    assert told(room) == set()


async def test_a_seat_without_the_ability_is_refused_and_nobody_is_told() -> None:
    document = Stage().live(REFERRING, CONSULTING).document
    seat = document.seat(REFERRING)
    assert seat is not None
    mute = replace(seat, facts=replace(seat.facts, abilities=seat.facts.abilities - {"chat"}))
    room = await Room(document.with_seat(mute)).begin()
    assert await room.say(REFERRING) == {"ok": False, "code": "forbidden"}
    assert (room.heard, told(room)) == ([], set())


async def test_what_the_application_refuses_is_said_with_its_code_and_told_to_nobody() -> None:
    room = await Room(Stage().live(REFERRING, CONSULTING).document).begin()
    assert await room.say(REFERRING, "no") == {"ok": False, "code": "chat_full"}
    assert told(room) == set()


async def test_the_application_learns_who_is_recorded_by_medias_word_and_never_in_a_pause() -> None:
    document = Stage().live(REFERRING, CONSULTING).document
    room = await Room(document).begin()
    await room.say(REFERRING)
    seat = document.seat(REFERRING)
    assert seat is not None
    admitted = document.with_seat(replace(seat, admitted="grant-1"))
    for version, after in enumerate((admitted, replace(admitted, pause=Pause(REFERRING, "other", 1)))):
        assert await room.store.compare_and_set(ROOM, version + 1, replace(after, version=version + 2))
        await room.say(REFERRING)
        await room.say(CONSULTING)
    said = [(sitting.recording, sitting.recorded) for sitting, _ in room.heard]
    assert said == [(False, False), (True, True), (True, False), (False, False), (False, False)]


async def test_what_is_to_be_kept_is_kept_after_everybody_was_told() -> None:
    room = await Room(Stage().live(REFERRING, CONSULTING).document).begin()
    order: list[int] = []

    async def keep() -> None:
        order.append(len(room.post.sent))

    async def answer(_: sd.Sitting, __: sd.ShowTerm) -> sd.Answer:
        return sd.Answer(event="term", payload={"term": "t"}, then=keep)

    asides = sd.Asides(room.store, {"term": answer})
    asides.bind(room.post)
    ticket = Ticket(REFERRING, ROOM, "c")
    assert await asides.answer("term", ticket, f"s-{REFERRING}", sd.ShowTerm(term="t")) == {"ok": True}
    assert order == [2]


async def test_an_aside_does_not_change_the_rooms_document() -> None:
    room = await Room(Stage().live(REFERRING, CONSULTING).document).begin()
    before = await room.store.load(ROOM)
    await room.say(REFERRING)
    assert await room.store.load(ROOM) == before


async def test_without_a_room_nobody_is_told() -> None:
    room = Room(Stage().document)
    await room.asides.tell(ROOM, "chat", {})
    assert room.post.sent == []
