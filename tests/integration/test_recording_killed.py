"""SIGKILL of a process that records, at random moments: at most two seconds are gone, and all that is left
is whole.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from media.clock import SystemClock
from media.recorder import RoomRecorder
from media.recordstore import layout
from media.recordstore.faults import AcknowledgedHead
from media.recordstore.index import Journal
from media.recordstore.store import StoreWriter
from media.recordstore.verify import verify_journal
from tests.support.recorded import NS, RECORDING, rtp

PEER, KEY, ROOM_KEY = "seat-synthetic-0001", b"k" * 32, b"r" * 32


async def record(root: Path) -> None:
    """The child: 200 packets a second until it is killed; tells its heads as the worker does."""
    clock = SystemClock()
    store = StoreWriter(clock)
    store.start()
    recorder = RoomRecorder(root, RECORDING, 1, store, ROOM_KEY, clock, lambda _peer, _kind, _rid: None)
    recorder.admit(PEER, "grant-1", KEY)
    second = clock.boottime_ns()
    for seq in range(100_000):
        now = clock.boottime_ns()
        recorder.rtp(PEER, "audio", "", rtp(111, seq, seq * 240, 5, bytes(400)), now)
        if now - second >= NS:
            second = now
            report = recorder.stored(now)
            head = recorder.heads().get(PEER)
            if head:
                until = report.seats[PEER].until_ms
                sys.stdout.write(f"{head['segment']} {head['index']} {head['hash']} {until}\n")
                sys.stdout.flush()
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 21))])
def test_a_killed_recorder_has_lost_two_seconds_at_most(tmp_path: Path, seed: int) -> None:
    call = f"asyncio.run(record(pathlib.Path({str(tmp_path)!r})))"
    code = f"import asyncio, pathlib; from {__name__} import record; {call}"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    first = child.stdout.readline()
    time.sleep(random.Random(seed).random() * 2.5)
    killed_ns = SystemClock().boottime_ns()
    child.kill()
    child.wait()
    told = [first.split(), *(line.split() for line in child.stdout if line.endswith("\n"))]
    child.stdout.close()
    with Journal(tmp_path, RECORDING, [1], {PEER: KEY}, ROOM_KEY) as journal:
        survey = journal.survey(0)
        (stream,) = survey.streams
        numbers = [seq for seq, *_ in journal.packets(stream)]
        assert numbers == list(range(numbers[0], numbers[0] + stream.packets)), "no hole"
        clock = SystemClock()
        last_ns = stream.last_at - (clock.wall_ns() - clock.boottime_ns())
        assert killed_ns - last_ns < 2 * NS
        assert not any(report.damaged or report.ended for report in survey.reports)
        assert stream.last_at // 1_000_000 >= int(told[-1][3]) - 50, "all that was acknowledged is there"
    heads = [AcknowledgedHead(1, segment, int(index), digest) for segment, index, digest, _ in told]
    state = verify_journal(tmp_path, RECORDING, {PEER: KEY}, ROOM_KEY, heads)
    assert state["chain"] == "intact"
    path = layout.epoch_directory(tmp_path, RECORDING, 1) / told[-1][0]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 20])  # within its first seal: later ones may be unacknowledged
    assert verify_journal(tmp_path, RECORDING, {PEER: KEY}, ROOM_KEY, heads)["chain"] == "cut_after_ack"
