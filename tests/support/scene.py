"""One room of the media plane with a real recorder and store, whose sessions send into lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from media.clock import Clock, SystemClock
from media.control import PeerPlan, RoomPlan
from media.metrics import Counters
from media.ports import OnOffer, SessionPort, Uplink
from media.recorder import RoomRecorder
from media.recordstore.store import StoreWriter
from media.room import Room, RoomTools
from tests.support.outbox import Outbox

KEY = bytes(range(32))


class Scene:
    """A room with a real recorder and a real store, whose sessions send into lists."""

    def __init__(self, folder: Path, store: StoreWriter, clock: Clock) -> None:
        self.events: list[dict[str, Any]] = []
        self.sessions: dict[str, Outbox] = {}
        self.refused: set[str] = set()
        self._folder = folder
        self.store = store
        self.clock = clock
        self.counters = Counters()
        tools = RoomTools(
            make_session=self._session,
            make_recorder=self._recorder,
            clock=clock,
            call_later=asyncio.get_running_loop().call_later,
            emit=self.events.append,
            counters=self.counters,
        )
        self.room = Room("room1", 1, tools)
        self._version = 0

    async def plan(self, *peers: str, muted: Collection[str] = (), **more: Any) -> None:
        """Applies the next plan. `a!` may be recorded, `a` not; `a2` is a later connection of `a`; `a!-` has
        stepped out."""
        self._version += 1
        wanted = {}
        for name in peers:
            name, out = name.rstrip("-"), name.endswith("-")
            grant, on = "grant1" if name.endswith("!") else None, name[0] not in muted
            key = KEY if grant else None
            wanted[name[0]] = PeerPlan(f"{name[:2].strip('!')}.1.1", on, on, grant, key, private=out)
        await self.room.apply(RoomPlan("room1", 1, self._version, peers=wanted, room_key=KEY, **more))

    def _session(self, peer: str, connection: str, on_offer: OnOffer) -> SessionPort:
        if peer in self.refused:
            raise OSError("no")
        session = self.sessions[peer] = Outbox(peer, connection)
        return session

    def _recorder(
        self, room: str, epoch: int, room_key: bytes, ask_keyframe: Callable[[str, str, str], None]
    ) -> RoomRecorder:
        self.recorder = RoomRecorder(
            self._folder, room, epoch, self.store, room_key, self.clock, ask_keyframe
        )
        return self.recorder

    def publish(self, peer: str, kind: str, mid: str, ssrc: int) -> None:
        session = self.sessions[peer]
        session.uplink[kind] = Uplink(kind, mid, True, {ssrc: None})
        assert session.sink is not None
        session.sink.on_negotiated()
        session.connect()

    def packet(self, peer: str, pt: int, number: int, ssrc: int) -> None:
        sink = self.sessions[peer].sink
        assert sink is not None
        data = bytes([0x80, pt]) + number.to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big") + b"media"
        sink.on_rtp(data, self.clock.boottime_ns())

    async def second(self) -> dict[str, Any]:
        """What is told each second."""
        await self.room.second(self.clock.boottime_ns())
        return self.events[-1]

    async def synced(self) -> None:
        """Everything handed to the store is on disk."""
        await asyncio.wrap_future(self.store.flushed())


@asynccontextmanager
async def scene(folder: Path, clock: Clock | None = None) -> AsyncIterator[Scene]:
    """A room for the length of a block; with a clock that the test moves, or the machine's."""
    clock = clock or SystemClock()
    store = StoreWriter(clock)
    store.start()
    try:
        made = Scene(folder, store, clock)
        yield made
        await made.room.close()
    finally:
        store.close()
