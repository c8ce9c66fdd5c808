"""The hub with a real store and small real ports: in order, executed, repeated after failures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from signaling import events as ev
from signaling import messages as ms
from signaling.hub import Hub
from signaling.ports import Ticket
from signaling.store import MemoryRoomStore
from tests.support.rooms import (
    CONSULTING,
    REFERRING,
    ROOM,
    Books,
    Door,
    HandClock,
    MediaPlane,
    Post,
    settled,
)


@dataclass
class House:
    """A hub and everything around it."""

    hub: Hub
    store: MemoryRoomStore
    books: Books
    media: MediaPlane
    door: Door
    post: Post
    clock: HandClock

    async def join(self, seat: str, socket: str, resume: str | None = None) -> ms.Snapshot:
        ticket = Ticket(seat, ROOM, f"credential-{seat}")
        await self.hub.connected(socket, ticket)
        joined = await self.hub.join(ticket, socket, ms.Join(mic=True, camera=True, resume=resume))
        assert isinstance(joined, ms.Snapshot), joined
        return joined

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            self.clock.passes(1_000)
            await self.hub.tick()
            await self.quiet()

    async def quiet(self) -> None:
        await settled(lambda: all(line.idle for line in self.hub._lines.values()))

    def offer(self, seat: str, offer_id: str = "o1") -> dict[str, object]:
        return {
            "ev": "offer",
            "room": self.media.plans[-1].room,
            "epoch": self.media.plans[-1].epoch,
            "peer": seat,
            "connection": self.media.connections[seat],
            "offer_id": offer_id,
            "sdp": "v=0",
            "ice_restart": False,
            "tracks": [{"mid": "4", "participant": CONSULTING, "kind": "camera"}],
        }


@pytest.fixture
async def house() -> AsyncIterator[House]:
    clock, store, books, media, door, post = (
        HandClock(),
        MemoryRoomStore(),
        Books(),
        MediaPlane(),
        Door(),
        Post(),
    )
    hub = Hub(store=store, directory=books, media=media, gate=door, listener=books, now_ms=clock)
    hub.bind(post)
    yield House(hub, store, books, media, door, post, clock)
    await hub.aclose()


async def test_the_first_join_opens_a_session_and_media_gets_a_plan(house: House) -> None:
    snapshot = await house.join(REFERRING, "s1")
    assert snapshot.you.participant == REFERRING
    await settled(lambda: house.media.connections)
    assert list(house.media.connections) == [REFERRING]
    await house.quiet()
    assert house.books.notes == [("joined", REFERRING)]
    latest = house.post.of("s1", "snapshot")[-1]
    assert (latest["state"], latest["session"]) == ("live", "session-1")


async def test_an_offer_reaches_the_page_and_its_answer_reaches_media(house: House) -> None:
    await house.join(REFERRING, "s1")
    await settled(lambda: house.media.connections)
    house.hub.media_event(house.offer(REFERRING))
    await settled(lambda: house.post.of("s1", "offer"))
    offer = house.post.of("s1", "offer")[0]
    assert offer["connection"] == house.media.connections[REFERRING]
    code = await house.hub.tell(ROOM, ev.Answered(REFERRING, "s1", str(offer["connection"]), "o1", "v=0"))
    assert code is None
    await settled(lambda: house.media.answers)
    assert house.media.answers == [(REFERRING, offer["connection"], "o1")]
