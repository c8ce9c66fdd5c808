"""Measures lines one after the other with the same two browsers; what fails is a row too.

A line that is of another length is met by new connections, one that only loses more is not.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field

from server.runtime.machinery import WORKER
from tests.support.matrix.rig import Half, Rig, rig
from tests.support.matrix.rows import Failed, Line, Row, row
from tests.support.matrix.speech import Sound

PLAIN_WORKER = (sys.executable, "-m", "tests.support.matrix.plain_worker")
SETTLE_S, SECONDS = 3.0, 10.0
MEET_S = 10.0
"""The first line of a connection: senders' estimates and receivers' buffers begin anew."""
GATE_MEET_S, LONG_GATE_S = 30.0, 60.0
"""A gate of a minute or more is of a line that senders have come to know: for the first half minute they try
upwards, and back."""
PATIENCE_S = 90.0
"""Beyond what a row takes: after that it has failed."""
Done = Callable[[Row | Failed], None]


@dataclass
class _Run:
    """What is still to be measured (line and seed), and who is told."""

    todo: deque[tuple[Line, int]]
    done: Done
    settle_s: float
    seconds: float
    judges: Executor
    judging: asyncio.TaskGroup
    judged: set[asyncio.Task[None]] = field(default_factory=set)

    async def with_one_rig(self) -> None:
        """As many lines as it lasts for. Raises what ended it, when its line has been told as failed or not
        even been begun."""
        line, seed = self.todo[0]
        command = PLAIN_WORKER if line.plain else WORKER
        async with rig(seed, command, first=line.profile(), fox=line.fox) as made:
            before: Line | None = None
            while self.todo:
                line, seed = self.todo[0]
                try:
                    async with asyncio.timeout((line.seconds or self.seconds) + PATIENCE_S):
                        halves = await self._halves(made, line, seed, before)
                        states = await made.states()
                except Exception as error:
                    self.todo.popleft()
                    self.done(Failed(line.key, seed, reason(error)))
                    raise
                self.todo.popleft()
                before = line
                connected = set(states.values()) == {"connected"}
                judge = self._judge(line, seed, halves, made.said, connected)
                self.judged = {self.judging.create_task(judge)}

    async def _halves(self, made: Rig, line: Line, seed: int, before: Line | None) -> dict[str, Half]:
        if before is not None and before.way_there != line.way_there:
            await made.meet_again(line.profile(), seed)
            before = None
        meet_s = GATE_MEET_S if line.seconds >= LONG_GATE_S else MEET_S
        await made.settle(line.profile(), seed, self.settle_s if before else max(self.settle_s, meet_s))
        if self.judged:
            await asyncio.wait(self.judged)
        return await made.measure(line.seconds or self.seconds)

    async def _judge(
        self, line: Line, seed: int, halves: dict[str, Half], said: dict[str, Sound], connected: bool
    ) -> None:
        """While the next line settles, in a process of its own: the lines run in this one's loop."""
        loop = asyncio.get_running_loop()
        try:
            self.done(await loop.run_in_executor(self.judges, row, line, seed, halves, said, connected))
        except Exception as error:
            self.done(Failed(line.key, seed, reason(error)))


async def measure(
    lines: Iterable[tuple[Line, int]], done: Done, *, settle_s: float = SETTLE_S, seconds: float = SECONDS
) -> None:
    """`done` with each line's row, measured with its seed; one that fails stops no other. All lines `plain`
    or none, all `fox` or none."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (10,)) as judges:
        async with asyncio.TaskGroup() as judging:
            run = _Run(deque(lines), done, settle_s, seconds, judges, judging)
            while run.todo:
                first, seed = run.todo[0]
                try:
                    await run.with_one_rig()
                except Exception as error:
                    if run.todo and run.todo[0][0] is first:  # not even its browsers met: nor would they now
                        run.todo.popleft()
                        done(Failed(first.key, seed, reason(error)))


def reason(error: BaseException) -> str:
    """One line that fits a table."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    first = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {first}"[:120].replace("|", "/")
