"""A real worker whose disk is slow, broken for one seat, full or read-only, while three peers talk.

What is proved each time: forwarding goes on, the light says what is wrong within five seconds, the alert's
numbers rise, recording resumes by itself, and every packet is stored or counted in a gap with its cause.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from media.bench.dtls import Identity
from media.bench.room import BenchRoom, Load, Pacer
from media.recordstore.verify import verify_journal
from media.tasks import TaskOwner
from server.runtime.machinery import WORKER
from tests.integration.worker_process import WorkerProcess, worker_process
from tests.support.faulty_disk import Faults, fault
from tests.support.small_disk import SmallDisk

TOLD_WITHIN = 5.0
MB = 1 << 20


class Talk:
    """Three peers in a room on a worker, sending all the time."""

    def __init__(self, worker: WorkerProcess, room: BenchRoom, load: Load) -> None:
        self.worker, self.room, self.load = worker, room, load
        self.seats = list(room.peers)

    def light(self) -> set[tuple[str, str]]:
        """(peer, cause) of the newest report."""
        told = self.worker.last("stored")
        return {(each["peer"], each["cause"]) for each in told["degraded"]} if told else set()

    async def until(self, what: Callable[[], bool], within: float) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not what():
            assert loop.time() - began < within, self.worker.last("stored")
            await asyncio.sleep(0.05)
        return loop.time() - began

    async def told(self, cause: str, *peers: str) -> None:
        """The light names the cause for these (everybody, when none is named), soon enough."""
        wanted = {(peer, cause) for peer in peers or self.seats}
        began = self.reports()
        await self.until(lambda: wanted <= self.light(), 40)
        assert self.reports() - began <= TOLD_WITHIN + 1, "by the worker's own seconds"
        assert {peer for peer, _ in self.light()} == {peer for peer, _ in wanted}, "and nobody else"
        assert (await self.metrics())["recording_degraded_tracks"] >= len(wanted)

    def reports(self) -> int:
        """How often the worker has told what is stored: once a second."""
        return sum(event["ev"] == "stored" for event in self.worker.events)

    async def well(self, within: float = 15.0) -> None:
        await self.until(lambda: not self.light(), within)
        start = self.stored_until()
        await self.until(lambda: self.stored_until() > start + 1000, 10)
        assert (await self.metrics())["recording_degraded_tracks"] == 0

    def stored_until(self) -> int:
        told = self.worker.last("stored")
        return int(told["stored_until_ms"] or 0) if told else 0

    async def metrics(self) -> dict[str, float]:
        return await self.worker.client.metrics()

    def received(self) -> dict[tuple[str, int, int], int]:
        """Packets by receiver, sender and kind."""
        return {
            (peer.name, *key): tally.measured
            for peer in self.room.peers.values()
            for key, tally in peer.received.tallies.items()
        }

    async def goes_on(self, seconds: float) -> None:
        """Everybody hears and sees everybody meanwhile, at full rate: 50 packets of sound a second."""
        before = self.received()
        assert len(before) == 3 * 2 * 2
        await asyncio.sleep(seconds)
        await self.until(
            lambda: all(self.received()[key] - before[key] > 0.7 * 50 * seconds for key in before), 20
        )
        assert self.room.trouble() is None

    async def end(self) -> dict[str, Any]:
        """Everybody stops; the journal's verdict."""
        self.load.sending = False
        await asyncio.sleep(0.5)
        await self.worker.client.put_plan(self.room.plan(record=True, closed=True))
        await asyncio.wait_for(self.room.closed.wait(), 20)
        metrics = await self.metrics()
        state: dict[str, Any] = verify_journal(
            self.worker.journal, self.room.room, self.room.keys, self.room.room_key
        )
        assert state["chain"] == "intact"
        stored = sum(track["packets"] for track in state["tracks"])
        lost = sum(gap.get("packets", 0) for gap in state["gaps"])
        assert stored + lost == metrics["packets_recorded"], (stored, lost, metrics)
        assert lost == metrics["recording_lost_packets"]
        return state


@asynccontextmanager
async def talk(
    command: tuple[str, ...], before: Callable[[int], object] | None = None, **more: Any
) -> AsyncIterator[Talk]:
    """`before` is called with the worker's process id when it is ready; the journal is its affair then."""
    async with worker_process(command=command, **more) as worker:
        owner, load = TaskOwner("test"), Load()
        room = BenchRoom(0, worker.client, owner, Identity())
        done = 0

        def on_event() -> None:
            nonlocal done
            for event in worker.events[done:]:
                if event.get("room") == room.room:
                    room.event(event)
            done = len(worker.events)

        worker.listeners.append(on_event)
        made = Talk(worker, room, load)
        try:
            if before is not None:
                before(worker.process.pid)
            await worker.client.put_plan(room.plan(record=True))
            await made.until(lambda: all(peer.connected.is_set() for peer in room.peers.values()), 20)
            for index, peer in enumerate(room.peers.values()):
                Pacer(peer, load).start(0.003 * index)
            await made.until(room.complete, 15)
            load.phase = 1
            if before is None:
                await made.well()
            yield made
        finally:
            load.sending = False
            room.close()
            await owner.close()


def causes(state: dict[str, Any]) -> set[tuple[str, str]]:
    return {(gap["peer"], gap["cause"]) for gap in state["gaps"] if gap.get("packets")}


async def test_an_io_error_on_one_persons_file_is_theirs_alone(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    async with talk(faults.worker()) as made:
        one = made.seats[0]
        faults.set(fault("before_write", f"*/{one}.*.seg", error="EIO"))
        await made.told("io_error", one)
        assert (await made.metrics())["recording_io_errors"] >= 1
        await made.goes_on(2)
        assert {peer for peer, _ in made.light()} == {one}
        faults.set()
        await made.well()
        state = await made.end()
        assert causes(state) == set(), "a few seconds wait in memory"
        files = [each for each in state["segments"] if each["seat"] == one]
        assert len(files) == 2, "a file that failed is never written again"


async def test_a_disk_that_takes_five_seconds_for_a_sync_is_told_and_caught_up(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    async with talk(faults.worker()) as made:
        await made.metrics()  # from here on the loop's worst lag is measured
        faults.set(fault("before_datasync", block_s=5))
        await made.told("store_slow")
        await made.goes_on(4)
        metrics = await made.metrics()
        assert metrics["loop_lag_worst_ms"] < 4500, "the loop waited for the disk"
        assert 0 < metrics["recording_queued_bytes"] <= 33 * MB
        faults.set()
        await made.well(25)
        state = await made.end()
        assert causes(state) == set(), "nothing was dropped"


async def test_a_really_read_only_disk_and_then_a_full_one(tmp_path: Path) -> None:
    """tmpfs of 48 MB: remounted read-only before the first file, writable again, then filled to the end."""
    with SmallDisk(tmp_path / "journal", 48) as disk:

        def read_only(pid: int) -> None:
            assert disk.of(pid).read_only()

        async with talk(
            (*disk.prefix, *WORKER), read_only, journal=disk.directory, floor_bytes=8 * MB
        ) as made:
            made.worker.journal = disk.path
            await made.told("read_only")
            assert (await made.metrics())["recording_read_only_errors"] >= 3
            await made.goes_on(2)
            assert disk.writable()
            await made.well()

            disk.fill()
            await made.told("no_space")
            assert (await made.metrics())["recording_accepting"] == 0
            await made.goes_on(2)
            disk.free()
            await made.well()
            state = await made.end()
            assert causes(state) == set(), "all of it waited in memory"


@pytest.mark.long
async def test_a_disk_that_stays_full_loses_a_counted_gap_and_nothing_else(tmp_path: Path) -> None:
    with SmallDisk(tmp_path / "journal", 48) as disk:
        command = (*disk.prefix, *WORKER)
        async with talk(command, journal=disk.directory, floor_bytes=8 * MB) as made:
            made.worker.journal = disk.of(made.worker.process.pid).path
            disk.fill()
            await made.told("no_space")
            await made.goes_on(75)  # 4 MB a person are some 30 s at the bench's rate
            metrics = await made.metrics()
            assert metrics["recording_lost_packets"] > 0
            assert metrics["recording_queued_bytes"] <= 17 * MB
            disk.free()
            await made.well(20)
            state = await made.end()
            assert causes(state) == {(seat, "no_space") for seat in made.seats}
