"""An offer leaves with the relays of its seat, made as it leaves; nothing keeps their credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from signaling.document import to_json
from signaling.hub import Hub
from signaling.messages import IceServer, Join
from signaling.ports import Ticket
from signaling.store import MemoryRoomStore
from tests.support.rooms import CONSULTING, REFERRING, ROOM, Books, Door, HandClock, MediaPlane, Post, settled

RELAY = "turns:turn.example.org:443?transport=tcp"


class Relays:
    """Counts, so that each credential is told from the one before."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, seat: str) -> list[IceServer]:
        self.made += 1
        return [IceServer(urls=[RELAY], username=f"{self.made}:{seat}", credential=f"hush-{self.made}")]


@pytest.fixture
async def scene() -> AsyncIterator[tuple[Hub, MemoryRoomStore, MediaPlane, Post]]:
    store, media, post = MemoryRoomStore(), MediaPlane(), Post()
    hub = Hub(
        store=store, directory=Books(), media=media, gate=Door(), now_ms=HandClock(), ice_servers=Relays()
    )
    hub.bind(post)
    yield hub, store, media, post
    await hub.aclose()


async def join(hub: Hub, seat: str, socket: str) -> None:
    ticket = Ticket(seat, ROOM, f"credential-{seat}")
    await hub.connected(socket, ticket)
    await hub.join(ticket, socket, Join())


def offer(media: MediaPlane, seat: str) -> dict[str, object]:
    plan = media.plans[-1]
    connection = media.connections[seat]
    whose = {"room": plan.room, "epoch": plan.epoch, "peer": seat, "connection": connection}
    return {"ev": "offer", **whose, "offer_id": "o1", "sdp": "v=0", "ice_restart": False, "tracks": []}


async def test_each_page_is_named_its_own_relays_and_the_document_holds_no_credential(
    scene: tuple[Hub, MemoryRoomStore, MediaPlane, Post],
) -> None:
    hub, store, media, post = scene
    for seat, socket in ((REFERRING, "s1"), (CONSULTING, "s2")):
        await join(hub, seat, socket)
        await settled(lambda seat=seat: seat in media.connections)  # type: ignore[misc]
        hub.media_event(offer(media, seat))
        await settled(lambda socket=socket: post.of(socket, "offer"))  # type: ignore[misc]
        (server,) = post.of(socket, "offer")[0]["ice_servers"]
        assert (server["urls"], server["username"].partition(":")[2]) == ([RELAY], seat)
    stored = await store.load(ROOM)
    assert stored is not None
    assert "hush" not in to_json(stored[1])


async def test_an_offer_sent_again_brings_a_new_credential(
    scene: tuple[Hub, MemoryRoomStore, MediaPlane, Post],
) -> None:
    hub, _, media, post = scene
    await join(hub, REFERRING, "s1")
    await settled(lambda: media.connections)
    hub.media_event(offer(media, REFERRING))
    await settled(lambda: post.of("s1", "offer"))
    hub.disconnected("s1")
    ticket = Ticket(REFERRING, ROOM, "credential-again")
    await hub.connected("s2", ticket)
    await hub.join(ticket, "s2", Join(resume=media.connections[REFERRING]))
    await settled(lambda: post.of("s2", "offer"))
    first, again = (post.of(socket, "offer")[0]["ice_servers"][0] for socket in ("s1", "s2"))
    assert first["credential"] != again["credential"]
