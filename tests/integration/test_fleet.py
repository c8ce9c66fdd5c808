"""Two media workers under one server: rooms on both, and the death of one moves its rooms only."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from media.bench.dtls import Identity
from media.bench.peer import SyntheticPeer
from media.bench.room import BenchRoom, Load, Pacer
from media.control_client import ControlClient, ControlLostError
from media.tasks import TaskOwner
from server.runtime.fleet import Fleet
from server.runtime.fleet_metrics import by_worker, totals
from server.runtime.keystore import KeyStore
from server.runtime.load import Limits, Marks
from server.runtime.supervisor import WorkerOptions
from server.runtime.workers import LocalWorkers
from signaling.ports import PeerPlan, Plan

BACK_WITHIN_S = 10.0


async def eventually(check: Callable[[], bool], what: str, timeout: float = 20.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while not check():
        assert loop.time() < end, what
        await asyncio.sleep(0.05)


class Books:
    """A head store that keeps nothing."""

    async def add_heads(self, recording: str, epoch: int, heads: Mapping[str, Mapping[str, Any]]) -> None:
        """Nobody asks for them here."""


class Consultation:
    """A recorded room of three synthetic people, which begins its next epoch when it is told of a loss."""

    def __init__(self, number: int, fleet: Fleet, owner: TaskOwner) -> None:
        self._fleet = fleet
        self._owner = owner
        self._identity = Identity()
        self.load = Load()
        self.pacers: list[Pacer] = []
        self.bench = BenchRoom(number, cast("ControlClient", fleet), owner, self._identity)
        self.name = self.bench.room

    def plan(self, closed: bool = False) -> Plan:
        whole = self.bench.plan(record=True, closed=closed)
        peers = {
            name: PeerPlan(peer.connection, True, True, peer.grant) for name, peer in whole.peers.items()
        }
        return Plan(self.name, self.bench.epoch, whole.version, closed, peers)

    async def begin(self) -> None:
        """Plan, connections, everybody sends; returns when everybody has everybody."""
        await self._told(self.plan())
        peers = list(self.bench.peers.values())
        await eventually(lambda: all(peer.connected.is_set() for peer in peers), "not connected")
        self.load = Load()
        self.pacers = [Pacer(peer, self.load) for peer in peers]
        for index, pacer in enumerate(self.pacers):
            pacer.start(index / 100)
        await eventually(self._complete, "media did not arrive everywhere")

    async def lost(self) -> None:
        """As the hub does it: everybody gets a new connection in the next epoch."""
        bench = self.bench
        self.load.sending = False
        bench.close()
        bench.epoch += 1
        indices = {name: peer.index for name, peer in bench.peers.items()}
        bench.peers = {
            name: SyntheticPeer(name, index, self._identity, indices) for name, index in indices.items()
        }
        bench.connections = {name: f"{secrets.token_urlsafe(8)}.{bench.epoch}.1" for name in bench.peers}
        await self.begin()

    async def _told(self, plan: Plan) -> None:
        """As a room's line does: again until there is a worker."""
        async with asyncio.timeout(15):
            while True:
                try:
                    return await self._fleet.put_plan(plan)
                except ControlLostError:
                    await asyncio.sleep(0.05)

    def _complete(self) -> bool:
        for peer in self.bench.peers.values():
            peer.ask_picture()
        assert self.bench.trouble() is None
        return self.bench.complete()


class Rig:
    """The hub's place: events to their rooms, losses to those concerned."""

    def __init__(self, folder: Path, workers: int = 2, limits: Limits | None = None) -> None:
        options = WorkerOptions(
            journal_root=folder / "journal",
            run_dir=folder / "run",
            udp_host="127.0.0.1",
            announce=("127.0.0.1",),
            log_level="WARNING",
        )
        self.journal = folder / "journal"
        self.owner = TaskOwner("test")
        self.workers = LocalWorkers(options, (0,) * workers)
        self.fleet = Fleet(self.workers, KeyStore.open(folder), Books(), limits=limits)
        self.fleet.attach(self)
        self.rooms: dict[str, Consultation] = {}
        self.losses: list[dict[str, int]] = []
        self.back: list[str] = []

    def room(self) -> Consultation:
        made = Consultation(len(self.rooms), self.fleet, self.owner)
        self.rooms[made.name] = made
        return made

    def media_event(self, event: dict[str, Any]) -> None:
        room = self.rooms.get(str(event.get("room")))
        if room is not None and event.get("epoch") == room.bench.epoch:
            room.bench.event(event)

    def media_lost(self, sessions: Mapping[str, int]) -> None:
        self.losses.append(dict(sessions))
        for name in sessions:
            self.owner.start(self._again(self.rooms[name]))

    async def _again(self, room: Consultation) -> None:
        await room.lost()
        self.back.append(room.name)

    def living_on(self) -> dict[str, set[str]]:
        """Place -> its rooms."""
        placed = self.fleet._placements._placed  # type: ignore[attr-defined]
        return {
            place.name: {room for room, at in placed.items() if at.worker == place.worker}
            for place in self.workers.places()
        }

    async def stop(self) -> None:
        for room in self.rooms.values():
            room.bench.close()
        await self.owner.close()
        await self.fleet.stop()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.fleet.start()
    yield made
    await made.stop()


def untouched(room: Consultation) -> bool:
    """Whether everybody has every packet that anybody sent while it was measured."""
    sent = {pacer._peer.index: pacer.measured for pacer in room.pacers}
    return all(
        tally.measured == sent[source][kind]
        for peer in room.bench.peers.values()
        for (source, kind), tally in peer.received.tallies.items()
    )


async def test_a_workers_death_moves_its_rooms_to_the_others_at_once_and_touches_no_packet_of_theirs(
    rig: Rig,
) -> None:
    moved, other = rig.room(), rig.room()
    await moved.begin()
    await other.begin()
    assert {frozenset(rooms) for rooms in rig.living_on().values()} == {
        frozenset({moved.name}), frozenset({other.name}),
    }  # fmt: skip
    victim = next(place for place in rig.workers.places() if moved.name in rig.living_on()[place.name])
    survivor = next(place for place in rig.workers.places() if place.name != victim.name)
    assert victim.pid is not None
    other.load.phase = 1
    died = asyncio.get_running_loop().time()
    os.kill(victim.pid, signal.SIGKILL)
    await eventually(lambda: rig.back == [moved.name], "media came back", BACK_WITHIN_S)
    took = asyncio.get_running_loop().time() - died
    assert rig.living_on()[survivor.name] == {moved.name, other.name}, "nobody waited for the restart"
    await eventually(
        lambda: all(place.worker for place in rig.workers.places()), "no worker came in its place"
    )
    other.load.phase = 0
    assert rig.losses == [{moved.name: 1}]
    assert took < BACK_WITHIN_S
    await eventually(lambda: untouched(other), "a packet of the other room was lost")
    measured = sum(sum(pacer.measured.values()) for pacer in other.pacers)
    assert measured > 300, measured
    assert other.bench.epoch == 1
    assert {path.name for path in (rig.journal / moved.name).iterdir()} == {"1", "2"}
    assert {path.name for path in (rig.journal / other.name).iterdir()} == {"1"}


async def test_each_workers_numbers_are_told_under_its_name_and_all_together(rig: Rig) -> None:
    first, second = rig.room(), rig.room()
    await first.begin()
    await second.begin()
    await eventually(lambda: all(load.sessions == 3 for load in rig.fleet.loads.values()), "not measured")
    told = await by_worker(rig.fleet, rig.workers)
    both = await totals(rig.fleet, rig.workers)
    for name in ("hyeopjin_worker_packets_in", "hyeopjin_worker_packets_forwarded"):
        assert set(told[name]) == {"0", "1"}
        assert min(told[name].values()) > 0
    assert told["hyeopjin_worker_rooms"] == {"0": 1, "1": 1}
    assert told["hyeopjin_worker_up"] == {"0": 1, "1": 1}
    assert both["hyeopjin_media_sessions"] == 6
    assert both["hyeopjin_media_workers_living"] == both["hyeopjin_media_workers_wanted"] == 2


async def test_sealing_is_waited_for_on_the_worker_that_has_the_room_and_then_it_is_forgotten(
    rig: Rig,
) -> None:
    room = rig.room()
    await room.begin()
    assert not await rig.fleet.wait_closed(room.name, 1, 0.05)
    await rig.fleet.put_plan(room.plan(closed=True))
    assert await rig.fleet.wait_closed(room.name, 1, 5)
    assert rig.living_on() == {"0": set(), "1": set()}
    assert await rig.fleet.wait_closed("recording-0000009", 4, 0.01), "never known: as it is"


async def test_a_worker_that_carries_what_it_may_takes_no_new_room_by_what_is_measured(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, workers=1, limits=Limits(packets=Marks(400, 50_000)))
    await rig.fleet.start()
    try:
        assert await rig.fleet.has_room(None)
        room = rig.room()
        await room.begin()  # about 1,600 packets a second, in and out
        [worker] = rig.fleet.links
        await eventually(lambda: rig.fleet.loads[worker].packets > 400, "not measured")
        assert not await rig.fleet.has_room(None)
        assert await rig.fleet.has_room(room.name), "who belongs to it still gets in"
        assert rig.fleet.refused == 1
    finally:
        await rig.stop()
