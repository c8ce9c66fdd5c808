"""A worker that was stopped for longer than its leases hold: on its return it forwards and stores nothing."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from media.bench.dtls import Identity
from media.bench.room import BenchRoom, Load, Pacer
from media.control import RoomPlan
from media.recordstore.layout import ROOM
from media.recordstore.verify import verify_journal
from media.tasks import TaskOwner
from tests.integration.worker_process import WorkerProcess, worker_process

LEASE_MS = 700
ASLEEP_S = 1.5


def boottime_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


async def eventually(check: Any, what: str, timeout: float = 15.0) -> None:
    end = time.monotonic() + timeout
    while not await check():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.05)


def stored(journal: Path) -> int:
    return sum(path.stat().st_size for path in journal.rglob("*.seg"))


def heard(room: BenchRoom) -> int:
    return sum(len(t.seen) for peer in room.peers.values() for t in peer.received.tallies.values())


async def talking(worker: WorkerProcess, owner: TaskOwner) -> tuple[BenchRoom, Load]:
    """A room of three that everybody hears and that is on disk."""
    room, load = BenchRoom(0, worker.client, owner, Identity()), Load()
    done = 0

    def on_event() -> None:
        nonlocal done
        fresh, done = worker.events[done:], len(worker.events)
        for event in fresh:
            if event.get("room") == room.room:
                room.event(event)

    worker.listeners.append(on_event)
    await worker.client.put_plan(room.plan(record=True))
    for peer in room.peers.values():
        Pacer(peer, load).start(0.0)

    async def complete() -> bool:
        return room.complete() and stored(worker.journal) > 20_000

    await eventually(complete, "not everybody has everybody")
    return room, load


@pytest.mark.parametrize("native", [False, True])
async def test_a_worker_that_slept_past_its_leases_wakes_up_fenced(native: bool) -> None:
    owner = TaskOwner("test")
    async with worker_process(native=native) as worker:
        room, load = await talking(worker, owner)
        told = await worker.client.lease(boottime_ms() + LEASE_MS)
        assert (told["shut"], told["rooms"], told["sessions"]) == (False, {room.room: 1}, 3)
        worker.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(ASLEEP_S)
        before, size, events = heard(room), stored(worker.journal), len(worker.events)
        worker.process.send_signal(signal.SIGCONT)

        async def noticed() -> bool:
            counts = await worker.client.metrics()
            return bool(counts["fenced_datagrams"] > 300)

        await eventually(noticed, "what came is counted")
        assert (heard(room), stored(worker.journal)) == (before, size), "nothing forwarded, nothing stored"
        assert all(event["ev"] == "peer" for event in worker.events[events:]), "nor is anything acknowledged"
        assert (await worker.client.lease(0))["shut"], "asking extends nothing"

        # The room has moved on: its old epoch is closed here first, then the worker may act again.
        await worker.client.put_plan(room.plan(record=True, closed=True))
        await worker.wait_event(ev="closed", room=room.room)
        assert (await worker.client.metrics())["fenced_packets"] > 0, (
            "of before the sleep, not on disk by then"
        )
        assert (await worker.client.lease(boottime_ms() + 60_000))["shut"]
        assert not (await worker.client.lease(0))["shut"]
        load.sending = False
        keys = {**room.keys}
        state = verify_journal(worker.journal, room.room, keys, room.room_key)
        assert state["chain"] == "intact", "what was written before the sleep is whole"
        state = await worker.client.put_plan(RoomPlan(room.room, 2, 1, room_key=room.room_key))
        assert (state["epoch"], state["closed"]) == (2, False)

        async def begun() -> bool:
            return bool(list((worker.journal / room.room / "2").glob(f"{ROOM}.*")))

        await eventually(begun, "the new epoch has its room's file")
        room.close()
    await owner.close()


@pytest.mark.parametrize("native", [False, True])
async def test_a_lease_that_is_renewed_in_time_changes_nothing(native: bool) -> None:
    owner = TaskOwner("test")
    async with worker_process(native=native) as worker:
        room, load = await talking(worker, owner)
        for _ in range(5):
            assert not (await worker.client.lease(boottime_ms() + 3_000))["shut"]
            await asyncio.sleep(0.1)
        counts = await worker.client.metrics()
        assert counts["fenced_datagrams"] == counts["fenced_packets"] == counts["fence_shuts"] == 0
        assert worker.last("stored") is not None
        load.sending = False
        room.close()
    await owner.close()
