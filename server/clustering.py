"""One server alone, or several that share rooms: what differs between the two is built here and nowhere else.

A corner of the composition root. Alone, rooms live in memory and everything begins with the start. With
`redis_url`, rooms and leases are in Redis, and the work behind the rooms (finalising, exports, retention,
housekeeping) is done by the one process that holds the lock `KEEPER` of the data directory, which the kernel
gives to another when that process is gone. It must not hold rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from server.config import ConfigError, Settings
from server.runtime.cluster import SharedPlacements, SharedWorkers
from server.runtime.fleet import Fleet, Roster
from server.runtime.keystore import write_once
from server.runtime.leases import Leases, LeasesAwayError
from server.runtime.placements import LocalPlacements, Placements
from server.runtime.tasks import TaskOwner, describe
from server.runtime.workers import LocalWorkers
from server.web.health import Health
from signaling.asides import Asides
from signaling.hub import Hub
from signaling.namespace import attach
from signaling.ports import Gate
from signaling.redis_store import RedisRoomStore
from signaling.store import MemoryRoomStore, RoomStore, StoreAwayError

log = logging.getLogger("hyeopjin.clustering")

TAKE_EVERY_S = 1.0
MEND_EVERY_S = 5.0
"""Emits may get lost without a trace: so often every page is told how its room stands."""
Begin = Callable[[contextlib.AsyncExitStack], Awaitable[None]]


class Alone:
    """The only server of its data directory."""

    instance = ""

    def __init__(self) -> None:
        self.store: RoomStore = MemoryRoomStore()
        self.placements: Placements = LocalPlacements()

    @property
    def prefix(self) -> str:
        """Of its workers' ids."""
        return ""

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Nothing to share."""

    def roster(self, local: LocalWorkers) -> Roster:
        return local

    def join(
        self, app: Any, hub: Hub, gate: Gate, public_url: str, media: Fleet, health: Health, asides: Asides
    ) -> None:
        """Let pages in."""
        attach(app, hub, gate, public_url, asides=asides)

    async def keep(self, begin: Begin, stack: contextlib.AsyncExitStack) -> None:
        """The work behind the rooms begins now."""
        await begin(stack)


class Shared(Alone):
    """One of several. Raises ConfigError at `start` for a Redis that is not there, or not this cluster's."""

    def __init__(self, settings: Settings) -> None:
        self.instance = secrets.token_hex(4)
        self._url = settings.redis_url
        self._data = settings.data_dir
        self._leases = Leases(self._url)
        self._shared = RedisRoomStore(self._url)
        self.store = self._shared
        self._placements = SharedPlacements(self._leases)
        self.placements = self._placements
        self._workers: SharedWorkers | None = None
        self._owner = TaskOwner("clustering")
        self._keeper = False
        self._home = ""
        self._mend: Callable[[], Awaitable[None]]

    @property
    def prefix(self) -> str:
        return f"{self.instance}-"

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        self._home = await asyncio.to_thread(home_of, self._data)
        stack.push_async_callback(self._leases.aclose)
        stack.push_async_callback(self._shared.aclose)
        try:
            if not await self._leases.start(self._home):
                raise ConfigError(
                    "The Redis of redis_url belongs to another data directory; take another one."
                )
            await self._shared.start()
        except (LeasesAwayError, StoreAwayError):
            raise ConfigError("The Redis of redis_url does not answer.") from None

    def roster(self, local: LocalWorkers) -> Roster:
        self._workers = SharedWorkers(local, self._leases, self._placements, self.instance)
        return self._workers

    def join(
        self, app: Any, hub: Hub, gate: Gate, public_url: str, media: Fleet, health: Health, asides: Asides
    ) -> None:
        attach(app, hub, gate, public_url, self._url, f"hyeopjin:{self._home}:emits", asides)
        workers = self._workers
        assert workers is not None  # noqa: S101 - the fleet was made of it
        workers.connected = lambda worker: worker in media.links and media.links[worker].connected
        workers.on_lost = hub.instance_lost
        workers.on_return = hub.repair

        def back() -> None:
            self._owner.spawn(hub.repair(), "repair")

        self._shared.on_back = back
        self._mend = hub.repair
        health.checks["redis"] = self._leases.ping

        async def numbers() -> dict[str, float]:
            return {
                "hyeopjin_redis_up": float(not self.store.away),
                "hyeopjin_keeper": float(self._keeper),
                "hyeopjin_leases_held_over": float(workers.held_over),
                "hyeopjin_cluster_instances": float(1 + workers.others),
                "hyeopjin_cluster_workers": float(sum(link.connected for link in media.links.values())),
            }

        health.sources.append(numbers)

    async def keep(self, begin: Begin, stack: contextlib.AsyncExitStack) -> None:
        """The work behind the rooms begins when this process holds the lock: now, or when another ends."""
        mine = contextlib.AsyncExitStack()
        stack.push_async_callback(mine.aclose)
        stack.push_async_callback(self._owner.close)

        async def wait_and_begin() -> None:
            while not await asyncio.to_thread(self._take):  # noqa: ASYNC110 - another process holds it
                await asyncio.sleep(TAKE_EVERY_S)
            self._keeper = True
            log.info("this instance does the work behind the rooms")
            await begin(mine)

        async def mend_often() -> None:
            while True:
                await asyncio.sleep(MEND_EVERY_S)
                try:
                    await self._mend()
                except Exception as error:
                    log.error("pages were not told how their rooms stand: %s", describe(error))

        self._owner.spawn(wait_and_begin(), "keeper")
        self._owner.spawn(mend_often(), "mend")

    def _take(self) -> bool:
        handle = os.open(self._data / "KEEPER", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        return True  # never closed: it holds the lock while the process lives


def cluster_of(settings: Settings) -> Alone:
    """By whether there is a `redis_url`."""
    return Shared(settings) if settings.redis_url else Alone()


def home_of(data: Path) -> str:
    """What names this data directory among others: random, made once. Blocking."""
    path = data / "HOME"
    if not path.exists():
        write_once(path, secrets.token_hex(8).encode())
    return path.read_text().strip()


@contextlib.asynccontextmanager
async def one_at_a_time(settings: Settings) -> AsyncIterator[None]:
    """Of several instances that start, one brings the books up to date, and the others wait for it."""
    if not settings.redis_url:
        yield
        return
    handle = os.open(settings.data_dir / "STARTING", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
