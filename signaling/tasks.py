"""Background tasks with an owner: nobody in this package calls `asyncio.create_task` but this class.

Must not: swallow a failure silently, or log what an exception says (it may quote personal data).
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Coroutine, Iterable
from typing import Any

log = logging.getLogger("hyeopjin.signaling.tasks")

CANCEL_AGAIN_S = 5.0
"""A library that is cancelled just as its own time is up may swallow that: one would wait for ever."""


async def end(running: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel them until each is over."""
    tasks = set(running)
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)


def failure_site(error: BaseException) -> str:
    """Where and what kind of failure, without its text: `ValueError at hub.py:12 in load`."""
    frames = traceback.extract_tb(error.__traceback__)
    where = (
        f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno} in {frames[-1].name}"
        if frames
        else ""
    )
    return type(error).__name__ + where


class TaskOwner:
    """Keeps its tasks alive, logs those that fail, cancels the rest at `aclose`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run `work` until it ends or this owner is closed; raises RuntimeError when it is closed already."""
        if self._closed:
            work.close()
            raise RuntimeError("the owner of tasks is closed")
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def aclose(self) -> None:
        """Cancel everything and wait for it. May be called again."""
        self._closed = True
        await end(self._tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed: %s", task.get_name(), failure_site(error))
