"""Runs rows of the matrix one after the other, without restarting a browser in between."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from server.runtime.machinery import WORKER
from tests.support.matrix.rig import Rig, rig
from tests.support.matrix.rows import Line, Row, row

PLAIN_WORKER = (sys.executable, "-m", "tests.support.matrix.plain_worker")
SETTLE_S, SECONDS = 4.0, 12.0
"""Receivers' buffers and senders' estimates need the first to follow a change of the line."""


async def measure(
    lines: Sequence[Line], seed: int, *, settle_s: float = SETTLE_S, seconds: float = SECONDS
) -> AsyncIterator[Row]:
    """Each row as it is done. All `plain` or none."""
    plain = {line.plain for line in lines}
    assert len(plain) == 1
    async with rig(seed, PLAIN_WORKER if plain.pop() else WORKER) as made:
        # In a process of its own: the lines run in this one's loop.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (10,)) as judges:
            for number, line in enumerate(lines):
                yield await _measure(made, judges, line, seed + number, settle_s, seconds)


async def _measure(
    made: Rig, judges: ProcessPoolExecutor, line: Line, seed: int, settle_s: float, seconds: float
) -> Row:
    halves = await made.measure(line.profile(), seed, settle_s, seconds)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(judges, row, line, seed, halves, made.said)
