"""One room from its plans: who is subscribed to what, what is recorded, what a failure leaves standing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from media.clock import SystemClock
from media.control import PeerPlan, RoomPlan
from media.metrics import Counters
from media.ports import Delivery, OnOffer, SessionPort, Uplink
from media.recorder import RoomRecorder
from media.recordstore.store import StoreWriter
from media.room import Room, RoomTools
from tests.support.outbox import Outbox

KEY = bytes(range(32))


class Scene:
    """A room with a real recorder and a real store, whose sessions send into lists."""

    def __init__(self, folder: Path, store: StoreWriter) -> None:
        self.events: list[dict[str, Any]] = []
        self.sessions: dict[str, Outbox] = {}
        self.refused: set[str] = set()
        self._folder = folder
        self._store = store
        self._clock = SystemClock()
        self.counters = Counters()
        tools = RoomTools(
            make_session=self._session,
            make_recorder=self._recorder,
            clock=self._clock,
            call_later=asyncio.get_running_loop().call_later,
            emit=self.events.append,
            counters=self.counters,
        )
        self.room = Room("room1", 1, tools)
        self._version = 0

    async def plan(self, *peers: str, **more: Any) -> None:
        """Applies the next plan. `a!` may be recorded; `a2` is a later connection of `a`."""
        self._version += 1
        wanted = {}
        for name in peers:
            grant = "grant1" if name.endswith("!") else None
            wanted[name[0]] = PeerPlan(f"{name[:2].strip('!')}.1.1", grant=grant, key=KEY if grant else None)
        await self.room.apply(RoomPlan("room1", 1, self._version, peers=wanted, room_key=KEY, **more))

    def _session(self, peer: str, connection: str, on_offer: OnOffer) -> SessionPort:
        if peer in self.refused:
            raise OSError("no")
        session = self.sessions[peer] = Outbox(peer, connection)
        return session

    def _recorder(
        self, room: str, epoch: int, room_key: bytes, ask_keyframe: Callable[[str, str], None]
    ) -> RoomRecorder:
        return RoomRecorder(self._folder, room, epoch, self._store, room_key, self._clock, ask_keyframe)

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
        sink.on_rtp(data, self._clock.boottime_ns())

    async def second(self) -> dict[str, Any]:
        await self.room.second(self._clock.boottime_ns())
        return self.events[-1]


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    store = StoreWriter(SystemClock())
    store.start()
    try:
        made = Scene(folder, store)
        yield made
        await made.room.close()
    finally:
        store.close()


def segments(folder: Path) -> int:
    return len(list(folder.glob("room1/1/*.seg")))


def both(*peers: str) -> set[tuple[str, str]]:
    return {(peer, kind) for peer in peers for kind in ("audio", "camera")}


async def test_everybody_gets_sound_and_picture_of_everybody_else(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a", "b", "c")
        assert set(stage.sessions["a"].wanted) == both("b", "c")
        assert set(stage.sessions["c"].wanted) == both("a", "b")
        await stage.plan("a", "c")
        assert set(stage.sessions["a"].wanted) == both("c")
        assert stage.sessions["b"].state == "closed"


async def test_who_left_is_detached_before_its_session_closes(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a", "b")
        stage.publish("a", "audio", "0", 10)
        leaver = stage.sessions["b"]
        leaver.deliveries = {("a", "audio"): Delivery("a", "audio", "4", 100, None, True)}
        leaver.connect()
        stage.packet("a", 111, 1, 10)
        assert len(leaver.rtp) == 1
        seen: list[int] = []

        async def close() -> None:
            stage.packet("a", 111, 2, 10)
            seen.append(len(leaver.rtp))

        leaver.close = close  # type: ignore[method-assign]
        await stage.plan("a")
        assert seen == [1]


async def test_a_screen_is_delivered_only_once_it_sends(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a", "b")
        stage.publish("a", "screen", "2", 30)
        await stage.second()
        assert set(stage.sessions["b"].wanted) == both("a")
        stage.packet("a", 96, 1, 30)
        await stage.second()
        assert set(stage.sessions["b"].wanted) == both("a") | {("a", "screen")}


async def test_nothing_of_a_seat_without_a_grant_is_recorded(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a!", "b")
        for peer, ssrc in (("a", 10), ("b", 20)):
            stage.publish(peer, "audio", "0", ssrc)
            stage.packet(peer, 111, 1, ssrc)
        assert stage.counters.packets_recorded == 1
        await stage.plan("a", "b!")
        stage.packet("a", 111, 2, 10)
        assert stage.counters.packets_recorded == 1
        stage.packet("b", 111, 2, 20)
        assert stage.counters.packets_recorded == 2
        assert set((await stage.second())["seats"]) == {"b"}


async def test_a_new_connection_of_a_recorded_seat_goes_on_being_recorded(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a!")
        await stage.plan("a2!")
        assert stage.sessions["a"].connection == "a2.1.1"
        stage.publish("a", "audio", "0", 11)
        stage.packet("a", 111, 1, 11)
        assert stage.counters.packets_recorded == 1
        await stage.room.close()
        assert segments(tmp_path) == 2


async def test_a_peer_whose_connection_cannot_be_made_leaves_the_others_theirs(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.refused = {"b"}
        await stage.plan("a", "b", "c")
        assert set(stage.room.state()["peers"]) == {"a", "c"}
        assert set(stage.sessions["a"].wanted) == both("c")
        assert stage.counters.room_failures == 1
        stage.refused = set()
        await stage.second()
        assert set(stage.room.state()["peers"]) == {"a", "b", "c"}


async def test_closing_tells_the_heads_then_the_end_and_never_twice(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a!")
        stage.publish("a", "audio", "0", 10)
        stage.packet("a", 111, 1, 10)
        await stage.plan(closed=True)
        await stage.room.close()
        told = [event["ev"] for event in stage.events]
        assert told[-2:] == ["heads", "closed"]
        assert told.count("closed") == 1
        assert set(stage.events[-2]["heads"]) == {"a", "room"}
        await stage.plan("a!")
        assert stage.room.state()["peers"] == {}
