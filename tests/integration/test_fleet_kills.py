"""Twenty kills of either of two workers under four rooms: only the rooms of the dead one notice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import time
from pathlib import Path

import pytest

from tests.integration.test_fleet import BACK_WITHIN_S, Consultation, Rig, eventually, untouched

KILLS, ROOMS, SEED = 20, 4, 20_261_125


@pytest.mark.long
async def test_of_twenty_kills_each_moves_its_rooms_and_none_costs_another_a_packet(tmp_path: Path) -> None:
    began, choice = time.monotonic(), random.Random(SEED)
    rig = Rig(tmp_path)
    await rig.fleet.start()
    took: list[float] = []
    packets = moved = 0
    try:
        rooms = [rig.room() for _ in range(ROOMS)]
        for room in rooms:
            await room.begin()
        for number in range(KILLS):
            places = {place.name: place for place in rig.workers.places()}
            there = rig.living_on()
            busy = [name for name, held in there.items() if held]
            victim = choice.choice(busy)
            concerned = [room for room in rooms if room.name in there[victim]]
            others = [room for room in rooms if room not in concerned]
            before = sum(measured(room) for room in others)
            for room in others:
                room.load.phase = 1
            rig.back.clear()
            died = asyncio.get_running_loop().time()
            os.kill(places[victim].pid or 0, signal.SIGKILL)
            await eventually(lambda: len(rig.back) == len(concerned), f"kill {number}", BACK_WITHIN_S)  # noqa: B023
            took.append(asyncio.get_running_loop().time() - died)
            await eventually(lambda: all(p.worker for p in rig.workers.places()), "no worker in its place")
            for room in others:
                room.load.phase = 0
                await eventually(lambda: untouched(room), f"kill {number} cost another room a packet")  # noqa: B023
            packets += sum(measured(room) for room in others) - before
            moved += len(concerned)
            if not others:  # all on one: make the next kill tell something again
                await spread(rig)
        assert sum(len(lost) for lost in rig.losses) == moved
        assert packets > 10_000
    finally:
        await rig.stop()
    row = (
        f"| {KILLS} kills, {ROOMS} rooms, 2 workers | seed {SEED} | {moved} rooms moved, back after "
        f"{statistics.median(took):.2f} s (median), {max(took):.2f} s (worst) | "
        f"{packets} packets of the others, none lost | {time.monotonic() - began:.0f} s |"
    )
    print(row)  # noqa: T201 - the row of docs/long-runs.md


def measured(room: Consultation) -> int:
    """Packets its people sent while they were counted."""
    return sum(sum(pacer.measured.values()) for pacer in room.pacers)


async def spread(rig: Rig) -> None:
    """Two of the rooms begin anew, as after an empty minute: the idle worker takes them."""
    for room in list(rig.rooms.values())[:2]:
        await rig.fleet.put_plan(room.plan(closed=True))
        assert await rig.fleet.wait_closed(room.name, room.bench.epoch, 5)
        await room.lost()
