"""The power goes at any moment: at most three seconds are lost, whatever was acknowledged is there, and what
the disk tore looks like a crash and not like a forger.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from media.clock import SystemClock
from media.recorder import RoomRecorder
from media.recordstore.faults import AcknowledgedHead
from media.recordstore.index import Journal
from media.recordstore.store import StoreWriter
from media.recordstore.verify import verify_journal
from tests.support.demo import TOP
from tests.support.power_disk import PAGE, SECTOR, PowerDisk
from tests.support.recorded import NS, RECORDING, rtp

PEER, KEY, ROOM_KEY = "seat-synthetic-0001", b"k" * 32, b"r" * 32
LIMIT_S = 3.0


async def record(root: Path, seed: int, block: int) -> None:
    """The child: 200 packets a second until the power goes; tells what was acknowledged, as a worker does."""
    chance, clock, disk = random.Random(seed), SystemClock(), PowerDisk(block)
    store = StoreWriter(clock, disk=disk)
    store.start()
    recorder = RoomRecorder(root, RECORDING, 1, store, ROOM_KEY, clock, lambda _peer, _kind: None)
    recorder.admit(PEER, "grant-1", KEY)
    began = second = clock.boottime_ns()
    ends = began + int((1.5 + 3 * chance.random()) * NS)
    seq = 0
    while (now := clock.boottime_ns()) < ends:
        recorder.rtp(PEER, "audio", "", rtp(111, seq, seq * 240, 5, bytes(400)), now)
        seq += 1
        if now - second >= NS:
            second = now
            until = recorder.stored(now).seats[PEER].until_ms
            for head in recorder.heads().values():
                sys.stdout.write(f"{head['segment']} {head['index']} {head['hash']} {until or 0}\n")
            sys.stdout.flush()
        await asyncio.sleep(0.005)
    lost = disk.lose(chance)
    wall = clock.wall_ns() - clock.boottime_ns()
    sys.stdout.write(f"power {clock.boottime_ns() + wall} {lost} {seq}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Cut:
    """One recorder whose power will go."""

    root: Path
    seed: int
    block: int

    def start(self) -> subprocess.Popen[str]:
        self.root.mkdir()
        call = f"asyncio.run(record(pathlib.Path({str(self.root)!r}), {self.seed}, {self.block}))"
        code = f"import asyncio, pathlib; from {__name__} import record; {call}"
        return subprocess.Popen([sys.executable, "-c", code], cwd=TOP, stdout=subprocess.PIPE, text=True)

    def check(self, told: str) -> float:
        """Every promise; the loss in seconds."""
        *lines, last = told.splitlines()
        _, power_ns, unsynced, sent = last.split()
        heads, until_ms = [], 0
        for line in lines:
            segment, index, digest, until = line.split()
            heads.append(AcknowledgedHead(1, segment, int(index), digest))
            until_ms = max(until_ms, int(until))
        assert int(unsynced) >= 0
        with Journal(self.root, RECORDING, [1], {PEER: KEY}, ROOM_KEY) as journal:
            survey = journal.survey(0)
            stamps = [at for stream in survey.streams for _, _, at, _ in journal.packets(stream)]
            lost_before = [hole for hole in survey.holes if hole.to_ns // 1_000_000 < until_ms]
            assert not lost_before, "what was acknowledged is there"
        report = verify_journal(self.root, RECORDING, {PEER: KEY}, ROOM_KEY, heads)
        assert report["chain"] == "intact", report["faults"]
        assert {fault["verdict"] for fault in report["faults"]} <= {"crash"}
        known = (int(power_ns) - max(stamps)) / NS if stamps else int(sent) / 200
        assert max(stamps, default=0) // 1_000_000 >= until_ms - 50
        first_lost = min((hole.from_ns for hole in survey.holes), default=max(stamps, default=0))
        loss = max(known, (int(power_ns) - first_lost) / NS if stamps else known)
        assert loss <= LIMIT_S, (self.seed, self.block, loss)
        return loss


def all_at_once(folder: Path, seeds: range, block: int) -> list[float]:
    cuts = [Cut(folder / str(seed), seed, block) for seed in seeds]
    running = [cut.start() for cut in cuts]
    told = [process.communicate(timeout=60)[0] for process in running]
    return [cut.check(text) for cut, text in zip(cuts, told, strict=True)]


@pytest.mark.parametrize("block", [SECTOR, PAGE])
def test_power_loss_costs_three_seconds_and_nothing_that_was_acknowledged(tmp_path: Path, block: int) -> None:
    all_at_once(tmp_path, range(3), block)


@pytest.mark.long
@pytest.mark.parametrize("block", [SECTOR, PAGE])
def test_twenty_power_losses_cost_three_seconds_each_at_most(tmp_path: Path, block: int) -> None:
    for begin in range(100, 120, 10):
        (folder := tmp_path / str(begin)).mkdir()
        worst = max(all_at_once(folder, range(begin, begin + 10), block))
        sys.stdout.write(f"power, block {block}, seeds {begin} to {begin + 9}: {worst:.2f} s\n")
