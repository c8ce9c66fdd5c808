"""What a room's people chose is there after the server has died, whoever keeps the rooms' documents.

The real books and the real stores; only media and the pages are small ones.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.directory import Books
from server.storage.pairings import time_line
from signaling import events as ev
from signaling import interpreting_events as ie
from signaling import messages as ms
from signaling.hub import Hub
from signaling.ports import Ticket
from signaling.redis_store import RedisRoomStore
from signaling.store import MemoryRoomStore, RoomStore
from tests.support.redis_server import redis_server
from tests.support.rooms import Door, MediaPlane, Post, settled
from tests.support.website import Website, website

TEAM = ("consulting_physician", "referring_physician", "interpreter")
EVERYBODY = (*TEAM, "patient")


@dataclass
class Server:
    """One life of a server: a hub on its store, with the books that outlive it."""

    site: Website
    store: RoomStore
    media: MediaPlane = field(default_factory=MediaPlane)
    post: Post = field(default_factory=Post)

    def __post_init__(self) -> None:
        books, door = Books(self.site.services), Door(self.site.table.consultation_id)
        self.hub = Hub(store=self.store, directory=books, media=self.media, gate=door, tick_s=0.05)
        self.hub.bind(self.post)

    @property
    def room(self) -> str:
        return self.site.table.consultation_id

    async def join(self, *roles: str) -> None:
        for role in roles:
            seat, _ = self.site.seat(role)
            ticket = Ticket(seat, self.room, f"credential-{seat}")
            await self.hub.connected(role, ticket)
            joined = await self.hub.join(ticket, role, ms.Join(mic=True, camera=True))
            assert isinstance(joined, ms.Snapshot), joined
        await settled(lambda: len(self.media.connections) == len(roles))

    async def tell(self, event: ev.PageEvent) -> None:
        assert await self.hub.tell(self.room, event) is None

    def seat(self, role: str) -> str:
        return self.site.seat(role)[0]

    async def standing(self) -> dict[str, object]:
        """What the room's document says of what somebody chose."""
        stored = await self.store.load(self.room)
        assert stored is not None
        seats = {seat.facts.role: seat for seat in stored[1].seats}
        way = seats["interpreter"].direction
        return {
            "mode": stored[1].interpretation.mode,
            "direction": None if way is None else (way.source, way.target),
            "listens": seats["interpreter"].listens,
            "hearing": {role: seat.hearing for role, seat in seats.items() if seat.hearing},
            "out": {role for role, seat in seats.items() if seat.out},
            "waits": {role for role, seat in seats.items() if seat.waits},
        }


@asynccontextmanager
async def serving(site: Website, store: RoomStore) -> AsyncIterator[Server]:
    made = Server(site, store)
    await made.hub.start()
    try:
        yield made
    finally:
        await made.hub.aclose()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", patient=True) as made:
        yield made


async def chosen(server: Server, *, let_in: bool) -> dict[str, object]:
    """Everybody in, everything chosen, and written down."""
    await server.join(*EVERYBODY)
    seat = server.seat
    chair, interpreter = seat("consulting_physician"), seat("interpreter")
    await server.tell(ie.ModeChosen(chair, "consulting_physician", "simultaneous"))
    await server.tell(ie.DirectionChosen(interpreter, "interpreter", "ru", "ko"))
    await server.tell(ie.DirectionChosen(interpreter, "interpreter", "ko", "ru"))
    await server.tell(ie.ListenChosen(interpreter, "interpreter", chair))
    await server.tell(ie.HearingChosen(chair, "consulting_physician", "both"))
    await server.tell(ie.HearingChosen(seat("patient"), "patient", "original"))
    if let_in:
        await server.tell(ie.Stepped(chair, "consulting_physician", seat("patient"), False))
    await server.tell(ie.Stepped(chair, "consulting_physician", seat("referring_physician"), True))
    await settled(lambda: all(line.idle for line in server.hub._lines.values()))
    return await server.standing()


@asynccontextmanager
async def stores(kind: str) -> AsyncIterator[tuple[RoomStore, RoomStore]]:
    """The store before the server died and the one after."""
    if kind == "in this process":
        yield MemoryRoomStore(), MemoryRoomStore()
        return
    with redis_server() as redis:
        prefix = secrets.token_hex(4) + ":"
        before = RedisRoomStore(redis.url, prefix)
        await before.start()
        after = RedisRoomStore(redis.url, prefix if kind == "Redis lives" else prefix + "anew:")
        await after.start()
        try:
            yield before, after
        finally:
            await before.aclose()
            await after.aclose()


@pytest.mark.parametrize("kind", ["in this process", "Redis lives", "Redis died with it"])
@pytest.mark.parametrize("let_in", [True, False], ids=["let in", "waiting"])
async def test_what_was_chosen_is_there_after_the_server_has_died(
    site: Website, kind: str, let_in: bool
) -> None:
    async with stores(kind) as (before, after):
        async with serving(site, before) as server:
            stood = await chosen(server, let_in=let_in)
        waits = set() if let_in else {"patient"}
        assert stood == {
            "mode": "simultaneous",
            "direction": ("ko", "ru"),
            "listens": site.seat("consulting_physician")[0],
            "hearing": {"consulting_physician": "both", "patient": "original"},
            "out": {"referring_physician", *waits},
            "waits": waits,
        }
        async with serving(site, after) as server:
            await server.join("patient", *TEAM) if kind == "in this process" else await server.join(
                *EVERYBODY
            )
            async with asyncio.timeout(5):
                while await server.standing() != stood:  # noqa: ASYNC110 - the books are read beside it
                    await asyncio.sleep(0.02)
            routes = server.media.plans[-1].routes
            assert routes is not None
            patient = server.seat("patient")
            assert (routes[patient] == ()) is not let_in


async def test_a_worker_that_is_lost_changes_nothing_of_it(site: Website) -> None:
    async with serving(site, MemoryRoomStore()) as server:
        stood = await chosen(server, let_in=False)
        session = server.media.plans[-1].room
        await server.hub.media_lost({session: 1})
        await settled(lambda: server.media.plans[-1].epoch == 2)
        assert await server.standing() == stood
        routes = server.media.plans[-1].routes
        assert routes is not None
        assert routes[server.seat("patient")] == ()


async def test_the_time_line_tells_the_prebrief_from_beginning_to_end(site: Website) -> None:
    async with serving(site, MemoryRoomStore()) as server:
        await chosen(server, let_in=True)
        session = server.media.plans[-1].room
    async with site.database.read() as tx:
        told = [what for _, what, _ in await time_line(tx, session) if what.startswith(("prebrief", "step_"))]
    assert told == ["prebrief:on", "step_out", "prebrief:off", "step_in", "step_out"]
