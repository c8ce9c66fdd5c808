"""A relay on a thread with a loop of its own, for tests that drive browsers without asynchronous code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import TypeVar

from tests.support.impairment.profile import CLEAN, Profile
from tests.support.impairment.relay import Relay
from tests.support.impairment.script import Moment, Playing

T = TypeVar("T")
LIMIT_S = 10.0


class RelayAside:
    """Use as a context manager; `ask` runs something on the relay's own loop and returns what it gives."""

    def __init__(
        self, upstream_port: int, up: Profile = CLEAN, down: Profile | None = None, *, seed: int = 0
    ) -> None:
        self._wish = (upstream_port, up, down, seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="impairment", daemon=True)
        self._relay: Relay | None = None
        self.port = 0

    def __enter__(self) -> RelayAside:
        self._thread.start()
        self._relay = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(LIMIT_S)
        self.port = self._relay.port
        return self

    async def _open(self) -> Relay:
        upstream, up, down, seed = self._wish
        return await Relay(upstream, up, down, seed=seed).open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._relay is not None:
            asyncio.run_coroutine_threadsafe(self._relay.close(), self._loop).result(LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    def ask(self, what: Callable[[Relay], T]) -> T:
        """`aside.ask(lambda relay: relay.rebind())`; raises what it raises."""
        relay, answer = self._relay, Future[T]()
        assert relay is not None

        def run() -> None:
            try:
                answer.set_result(what(relay))
            except Exception as error:
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return answer.result(LIMIT_S)

    def play(self, moments: Iterable[Moment]) -> Playing:
        """Start a script; several may run at once."""
        return self.ask(lambda relay: relay.play(moments))

    def stats(self) -> dict[str, dict[str, int]]:
        """Direction -> counters; see LinkStats."""
        return self.ask(lambda relay: {name: one.as_dict() for name, one in relay.stats().items()})
