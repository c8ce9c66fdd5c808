"""Joining and leaving again and again: a worker keeps no memory, descriptors or tasks of who has left."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from media.bench.dtls import Identity
from media.bench.report import resident
from media.bench.room import BenchRoom, Load, Pacer
from media.control_client import ControlClient
from media.tasks import TaskOwner
from tests.integration.worker_process import WorkerProcess, worker_process

WARM_UP = 10
CYCLES = 50


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def one_cycle(
    worker: WorkerProcess, client: ControlClient, number: int, rooms: dict[str, BenchRoom]
) -> None:
    """Three peers join a recorded room, see each other, and the room closes."""
    owner, load = TaskOwner("cycle"), Load()
    room = BenchRoom(number, client, owner, Identity())
    rooms[room.room] = room
    try:
        async with asyncio.timeout(15):
            await client.put_plan(room.plan(record=True))
            for peer in room.peers.values():
                await peer.connected.wait()
                Pacer(peer, load).start(0)
            while not room.complete():
                for peer in room.peers.values():
                    peer.ask_picture()
                assert room.trouble() is None
                await asyncio.sleep(0.05)
            load.sending = False
            await client.put_plan(room.plan(record=False, closed=True))
            await room.closed.wait()
    finally:
        room.close()
        await owner.close()
        del rooms[room.room]


async def test_fifty_joins_and_leaves_leave_nothing_behind() -> None:
    async with worker_process() as worker:
        rooms: dict[str, BenchRoom] = {}

        def dispatch(event: dict[str, object]) -> None:
            room = rooms.get(str(event.get("room")))
            if room is not None:
                room.event(event)

        client = await ControlClient.connect(str(worker.socket), dispatch, lambda: None)
        pid = worker.process.pid
        for number in range(WARM_UP):
            await one_cycle(worker, client, number, rooms)
        await asyncio.sleep(1)
        before = resident(pid), descriptors(pid), (await client.metrics())["tasks"]
        for number in range(CYCLES):
            await one_cycle(worker, client, WARM_UP + number, rooms)
        await asyncio.sleep(1)
        metrics = await client.metrics()
        assert metrics["rooms"] == metrics["sessions"] == 0
        assert descriptors(pid) == before[1], os.listdir(f"/proc/{pid}/fd")
        assert metrics["tasks"] == before[2]
        grown = (resident(pid) - before[0]) / 1e6
        assert grown < 12, grown
        await client.close()
