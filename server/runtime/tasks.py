"""The owner of background tasks: every one is known, awaited at the end, and its failure is said aloud.

It must not swallow an error silently, nor outlive its `close`.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from pathlib import Path

from signaling.tasks import end

log = logging.getLogger("hyeopjin.tasks")


def describe(error: BaseException) -> str:
    """An error's type and the places it came through; never its text, which may carry personal data."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places or '?'}"


class TaskOwner:
    """Holds tasks from `spawn` until they end or `close` cancels them. Not usable after `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def spawn(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Start `work`; its exception is logged as `describe` gives it."""
        if self._closed:
            work.close()
            raise RuntimeError(f"{self._name} is closed")
        task = asyncio.get_running_loop().create_task(work, name=f"{self._name}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed: %s", task.get_name(), describe(error))

    async def close(self) -> None:
        """Cancel what still runs and wait for it. Idempotent."""
        self._closed = True
        await end(self._tasks - {asyncio.current_task()})
