"""Hours of coming and going in short: rooms open, fill at two joins a second, empty as fast, and close.

What a worker keeps of those who left would show as memory, descriptors or tasks: they are read when it is
empty, after a warm-up and at the end, and memory while it runs. Recording is on. Loopback only.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from media.bench.dtls import Identity
from media.bench.report import BenchFailedError, resident, start_worker, stop_worker
from media.bench.room import SEATS, BenchRoom, Load, Pacer
from media.control_client import ControlClient
from media.tasks import TaskOwner

SLOTS = 4
"""Rooms at a time; each lives SLOTS * SEATS / JOINS_PER_SECOND seconds."""
JOINS_PER_SECOND = 2
STEP_S = SLOTS * SEATS / JOINS_PER_SECOND / (2 * SEATS)
"""Between one join or leave of a room and the next: half of its life it fills, half it empties."""
SAMPLE_S = 2.0
ROOM_TIMEOUT_S = 30.0
MOST_GROWTH_MB = 8.0
"""From the middle third to the last: the allocator's arenas take their time to fill at first."""


class Soak:
    """One worker, SLOTS rooms at a time."""

    def __init__(self, client: ControlClient, rooms: dict[str, BenchRoom]) -> None:
        self._client = client
        self._rooms = rooms
        self._identity = Identity()
        self._number = 0
        self._going = True
        self.joins = self.leaves = self.silent = 0

    async def go(self, owner: TaskOwner, seconds: float) -> None:
        """Comes and goes for so long, then until every room has closed. Raises what a room raised."""
        self._going = True
        slots = [owner.start(self._slot(slot)) for slot in range(SLOTS)]
        await asyncio.wait(slots, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        self._going = False
        await asyncio.gather(*slots)

    async def _slot(self, slot: int) -> None:
        await asyncio.sleep(slot * STEP_S / SLOTS)
        while self._going:
            await self._life()

    async def _life(self) -> None:
        owner, load = TaskOwner("life"), Load()
        room = BenchRoom(self._number, self._client, owner, self._identity)
        self._number += 1
        self._rooms[room.room] = room
        peers = list(room.peers.values())
        try:
            for present in range(1, SEATS + 1):
                await self._client.put_plan(room.plan(record=True, present=present), ROOM_TIMEOUT_S)
                async with asyncio.timeout(ROOM_TIMEOUT_S):
                    await peers[present - 1].connected.wait()
                Pacer(peers[present - 1], load).start(0)
                self.joins += 1
                await asyncio.sleep(STEP_S)
            self.silent += not room.complete()
            for present in range(SEATS - 1, 0, -1):
                await self._client.put_plan(room.plan(record=True, present=present), ROOM_TIMEOUT_S)
                peers[present].close()
                self.leaves += 1
                await asyncio.sleep(STEP_S)
            load.sending = False
            await self._client.put_plan(room.plan(record=False, closed=True), ROOM_TIMEOUT_S)
            self.leaves += 1
            async with asyncio.timeout(ROOM_TIMEOUT_S):
                await room.closed.wait()
        finally:
            room.close()
            await owner.close()
            del self._rooms[room.room]


async def soak(seconds: float, warm_up: float = 60.0, native: bool = True) -> dict[str, Any]:
    """Figures of so many seconds; `grown` names what grew. Raises BenchFailedError."""
    with tempfile.TemporaryDirectory(prefix="hj-soak-") as folder:
        path = Path(folder)
        worker = await start_worker(path, path / "worker.sock", native=native)
        owner, rooms = TaskOwner("soak"), dict[str, BenchRoom]()

        def dispatch(event: dict[str, Any]) -> None:
            if event.get("room") in rooms:
                rooms[event["room"]].event(event)

        client = await ControlClient.connect(path / "worker.sock", dispatch)
        try:
            return await _soak(Soak(client, rooms), client, worker.pid, owner, seconds, warm_up)
        except (TimeoutError, OSError) as error:
            raise BenchFailedError(f"{type(error).__name__}: {error}") from error
        finally:
            await owner.close()
            await client.close()
            await stop_worker(worker)


async def _soak(
    soak: Soak, client: ControlClient, pid: int, owner: TaskOwner, seconds: float, warm_up: float
) -> dict[str, Any]:
    await soak.go(owner, warm_up)
    before, joins, silent = await _empty(client, pid), soak.joins, soak.silent
    samples: list[float] = []
    sampler = owner.start(_sample(pid, samples))
    await soak.go(owner, seconds)
    sampler.cancel()
    after = await _empty(client, pid)
    third = max(1, len(samples) // 3)
    middle, last = samples[third : 2 * third] or [0.0], samples[-third:] or [0.0]
    slope = statistics.median(last) - statistics.median(middle)
    grown = [name for name in ("descriptors", "tasks") if after[name] > before[name]]
    if slope > MOST_GROWTH_MB:
        grown.append("rss_mb")
    return {
        "seconds": seconds,
        "joins": soak.joins - joins,
        "rooms_not_complete": soak.silent - silent,
        "before": before,
        "after": after,
        "rss_mb_middle_third": round(statistics.median(middle), 1),
        "rss_mb_last_third": round(statistics.median(last), 1),
        "grown": grown,
    }


async def _sample(pid: int, samples: list[float]) -> None:
    while True:
        await asyncio.sleep(SAMPLE_S)
        samples.append(resident(pid) / 1e6)


async def _empty(client: ControlClient, pid: int) -> dict[str, float]:
    """What an empty worker holds, once what ends has ended."""
    await asyncio.sleep(2.0)
    metrics = await client.metrics()
    if metrics["rooms"] or metrics["sessions"]:
        raise BenchFailedError("rooms are left over")
    return {
        "rss_mb": round(resident(pid) / 1e6, 1),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "tasks": metrics["tasks"],
    }
