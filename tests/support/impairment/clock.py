"""The time a line lives by: an event loop's, or one that passes when a test says so."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, Protocol


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """What an asyncio event loop gives; seconds."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[..., object], /, *args: Any) -> Timer: ...


class VirtualTimer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock:
    """Timers run in the order of their times, equal ones in the order they were set."""

    def __init__(self) -> None:
        self._now = 0.0
        self._set = 0
        self._timers: list[tuple[float, int, VirtualTimer, Callable[..., object], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self._now

    def call_at(self, when: float, callback: Callable[..., object], /, *args: Any) -> VirtualTimer:
        timer = VirtualTimer()
        self._set += 1
        heapq.heappush(self._timers, (when, self._set, timer, callback, args))
        return timer

    def run_to(self, when: float) -> None:
        """Let time pass up to and including `when`."""
        while self._timers and self._timers[0][0] <= when:
            at, _, timer, callback, args = heapq.heappop(self._timers)
            self._now = max(self._now, at)
            if not timer.cancelled:
                callback(*args)
        self._now = max(self._now, when)
