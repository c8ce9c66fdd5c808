"""`python -m tests.support.recorders ROOT KILLS SEED`: a real recorder, killed and started again and again.

This process only forks, waits and kills; each child is the recorder and the store, as the worker has them.
One start in two goes on in the epoch before, as if the epoch had not been counted.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

from media.clock import SystemClock
from media.recorder import RoomRecorder
from media.recordstore.store import StoreWriter
from tests.support.recorded import RECORDING, rtp

SEATS = ("seat-synthetic-0001", "seat-synthetic-0002")
KEYS = {seat: bytes([65 + n]) * 32 for n, seat in enumerate(SEATS)}
ROOM_KEY = b"r" * 32


async def talk(root: Path, epoch: int) -> None:
    """Two seats send until the process is killed."""
    clock = SystemClock()
    store = StoreWriter(clock, sync_every_s=0.05)
    store.start()
    recorder = RoomRecorder(root, RECORDING, epoch, store, ROOM_KEY, clock, lambda _peer, _kind: None)
    for seat in SEATS:
        recorder.admit(seat, f"grant-{seat[-4:]}", KEYS[seat])
    for seq in range(100_000):
        now = clock.boottime_ns()
        for seat in SEATS:
            recorder.rtp(seat, "audio", "", rtp(111, seq, seq * 960, 5, bytes(80)), now)
        if seq % 10 == 9:
            recorder.stored(now)
        await asyncio.sleep(0.005)


def main(root: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    for n in range(kills):
        child = os.fork()
        if child == 0:
            asyncio.run(talk(root, 1 + n // 2))
            os._exit(1)
        time.sleep(0.1 + 0.3 * chance.random())
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
