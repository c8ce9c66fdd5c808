"""Runs rows of the matrix one after the other, without restarting a browser in between."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from server.runtime.machinery import WORKER
from tests.support.matrix.rig import rig
from tests.support.matrix.rows import Line, Row, row

PLAIN_WORKER = (sys.executable, "-m", "tests.support.matrix.plain_worker")
SETTLE_S, SECONDS = 3.0, 12.0
STEP_S = 12.0
"""Receivers' buffers and senders' estimates need the first to follow a change of the line, and the last when
it is one of length or jitter: to them it looks like a queue that grows."""


async def measure(
    lines: Sequence[Line], seed: int, *, settle_s: float = SETTLE_S, seconds: float = SECONDS
) -> AsyncIterator[Row]:
    """Each row as it is done. All `plain` or none, all `fox` or none."""
    ((plain, fox),) = {(line.plain, line.fox) for line in lines}
    first = lines[0].profile()
    async with rig(seed, PLAIN_WORKER if plain else WORKER, first=first, fox=fox) as made:
        # In a process of its own: the lines run in this one's loop.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (10,)) as judges:
            loop = asyncio.get_running_loop()
            before = None
            for number, line in enumerate(lines):
                settle = settle_s if line.way_there == before else max(settle_s, STEP_S)
                before = line.way_there
                halves = await made.measure(line.profile(), seed + number, settle, seconds)
                yield await loop.run_in_executor(judges, row, line, seed + number, halves, made.said)
