"""Several web processes with one set of rooms: their workers as one roster, and where rooms live by lease.

Each process renews the leases of its own workers, and only of those that have just answered: one that was
stopped runs out, its rooms move, and it finds its fence shut when it wakes. Before it may act again the rooms
it has lost are closed in it. While Redis does not answer nothing is granted to anybody, so leases are held
over and media goes on. It must not decide which worker a room gets (`fleet.py`), nor see a key or a name.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.control import ControlRefusedError, RoomPlan
from media.control_client import ControlClient, ControlLostError
from server.runtime.leases import NOBODY, RENEW_S, TTL_S, Leases, LeasesAwayError
from server.runtime.media_link import WorkerAt
from server.runtime.placements import Placement
from server.runtime.tasks import TaskOwner, describe
from server.runtime.workers import Joined, Left, LocalWorkers

log = logging.getLogger("hyeopjin.runtime.cluster")

LOOK_S = 0.5
AWAKE_S = 1.5
"""A worker that does not answer for so long is not renewed."""
LAST_WORDS_S = 0.5
LAST_VERSION = 1 << 40
"""Of the plan that closes a lost epoch: later than any the room itself has made."""


def boottime_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def is_ours(path: Path) -> bool:
    """Whether a control socket lies where nobody but our own account can have put it.

    Keys of seats go into it: a name in Redis alone is not to be trusted with them.
    """
    try:
        socket, folder = path.lstat(), path.parent.lstat()
    except OSError:
        return False
    private = stat.S_ISDIR(folder.st_mode) and not folder.st_mode & 0o077
    return private and stat.S_ISSOCK(socket.st_mode) and socket.st_uid == folder.st_uid == os.getuid()


class SharedPlacements:
    """`placements.Placements` on leases, with a memory for the time in which Redis does not answer."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._known: dict[str, Placement] = {}

    async def find(self, room: str) -> Placement | None:
        try:
            placed = await self._leases.find(room)
        except LeasesAwayError:
            return self._known.get(room)
        if placed is None:
            known = self._known.get(room)
            if known is None and not self._leases.settled:
                raise LeasesAwayError  # a Redis that has just started may not have heard of it again
            return known
        if placed.worker == NOBODY:
            self._known.pop(room, None)
            return None
        self._known[room] = placed
        return placed

    def learn(self, worker: str, rooms: Mapping[str, int]) -> None:
        """What a worker has, by its heartbeat."""
        self._known = {r: p for r, p in self._known.items() if p.worker != worker or r in rooms}
        for room, epoch in rooms.items():
            known = self._known.get(room)
            if known is None or known.epoch < epoch:
                self._known[room] = Placement(worker, epoch)

    async def claim(self, room: str, epoch: int, worker: str) -> Placement:
        """Raises LeasesAwayError: without Redis no epoch is granted."""
        placed = self._known[room] = await self._leases.claim(room, epoch, worker)
        return placed

    async def release(self, room: str, epoch: int) -> None:
        known = self._known.get(room)
        if known is not None and known.epoch <= epoch:
            del self._known[room]
        with contextlib.suppress(LeasesAwayError):  # it runs out by itself
            await self._leases.release(room, epoch)

    async def of_worker(self, worker: str) -> dict[str, int]:
        found = {room: place.epoch for room, place in self._known.items() if place.worker == worker}
        with contextlib.suppress(LeasesAwayError):
            found |= await self._leases.of_worker(worker)
        return found


@dataclass(slots=True)
class _Own:
    """A worker that this process has started."""

    at: WorkerAt
    client: ControlClient


class SharedWorkers:
    """A `fleet.Roster` of this process's workers and of all others in Redis.

    `connected(id)`: whether the fleet's channel to a worker is open. `on_lost(instance)`: another process has
    died. `on_return()`: this one was taken for dead, and is not.
    """

    def __init__(
        self, local: LocalWorkers, leases: Leases, placements: SharedPlacements, instance: str
    ) -> None:
        self.connected: Callable[[str], bool] = lambda _worker: True
        self.on_lost: Callable[[str], Awaitable[None]] = _no_matter
        self.on_return: Callable[[], Awaitable[None]] = _nothing_to_do
        self.held_over = 0
        """Renewals that Redis did not answer, since the start (metrics)."""
        self._local = local
        self._leases = leases
        self._placements = placements
        self._instance = instance
        self._own: dict[str, _Own] = {}
        self._told: set[str] = set()  # workers that the fleet knows of
        self._refused: set[str] = set()
        self._instances: set[str] = set()
        self._renewed = False
        self._owner = TaskOwner("cluster")
        self._joined: Joined
        self._left: Left

    @property
    def others(self) -> int:
        """How many other instances there are."""
        return len(self._instances)

    async def start(self, joined: Joined, left: Left) -> None:
        self._joined, self._left = joined, left
        await self._leases.renew_instance(self._instance)
        self._renewed = True
        await self._local.start(self._started, self._died)
        await self._look()
        self._owner.spawn(self._every(RENEW_S, self._renew_instance), "instance")
        self._owner.spawn(self._every(LOOK_S, self._look), "look")

    async def stop(self) -> None:
        """End our workers; the others may know at once. Idempotent."""
        await self._owner.close()
        await self._local.stop()
        ended, self._own = dict(self._own), {}
        for own in ended.values():
            await own.client.close()
        with contextlib.suppress(LeasesAwayError, TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                for worker in ended:
                    await self._leases.end_worker(worker)
                await self._leases.end_instance(self._instance)

    async def replace(self, name: str) -> None:
        """One of our own."""
        await self._local.replace(name)

    # --- our own workers -----------------------------------------------------------------------------------

    async def _started(self, at: WorkerAt) -> None:
        client = await ControlClient.connect(at.socket, lambda _event: None)
        own = self._own[at.id] = _Own(at, client)
        await self._renew(own)
        self._told.add(at.id)
        await self._joined(at)
        self._owner.spawn(self._keep(own), f"leases-{at.name}")

    async def _died(self, worker: str) -> None:
        own = self._own.pop(worker, None)
        if own is None:
            return
        with contextlib.suppress(LeasesAwayError):
            await self._leases.end_worker(worker)
        await self._gone(worker)
        await own.client.close()

    async def _keep(self, own: _Own) -> None:
        while own.at.id in self._own:
            await asyncio.sleep(RENEW_S)
            if own.at.id not in self._own:
                return
            try:
                await self._renew(own)
            except TimeoutError:
                log.warning("media worker %s does not answer: its leases are not renewed", own.at.name)
            except (ControlLostError, ControlRefusedError, OSError) as error:
                log.warning("leases of media worker %s: %s", own.at.name, type(error).__name__)
            except Exception as error:
                log.error("leases were not renewed: %s", describe(error))

    async def _renew(self, own: _Own) -> None:
        """It answers, so it is awake; what it has lost is closed in it; then it may act on."""
        if not own.client.connected:
            own.client = await ControlClient.connect(own.at.socket, lambda _event: None)
        told = await own.client.lease(0, AWAKE_S)
        rooms = {str(room): int(epoch) for room, epoch in told["rooms"].items()}
        info = {
            "socket": str(own.at.socket), "name": own.at.name, "instance": self._instance,
            "leases": rooms, "sessions": told["sessions"], "draining": told["draining"],
        }  # fmt: skip
        before_ms = boottime_ms()
        try:
            lost = await self._leases.renew_worker(own.at.id, info, rooms)
        except LeasesAwayError:
            if told["shut"]:
                return  # it slept, and who was granted what before Redis went is not known
            self.held_over += 1  # nobody can have been granted anything since
            lost = []
        for room in lost:
            log.warning("room %s epoch %d has moved on: closed in worker %s", room, rooms[room], own.at.name)
            await own.client.put_plan(RoomPlan(room, rooms[room], LAST_VERSION, closed=True))
        await own.client.lease(before_ms + int(TTL_S * 1000), AWAKE_S)

    # --- everybody's ---------------------------------------------------------------------------------------

    async def _renew_instance(self) -> None:
        was = await self._leases.renew_instance(self._instance)
        if not was and self._renewed and self._leases.steady:
            await self.on_return()

    async def _look(self) -> None:
        """Who is there; one that Redis does not know, or that nobody listens for any more, is gone."""
        await self._leases.look()
        there = await self._leases.workers()
        for worker, info in there.items():
            self._placements.learn(worker, info["leases"])
            if worker not in self._told:
                await self._arrived(worker, info)
        for worker in list(self._told):
            absent = worker not in there and self._leases.steady
            if absent or (worker not in self._own and not await self._listens(worker, there.get(worker))):
                await self._gone(worker)
        instances = await self._leases.instances()
        for instance in self._instances - instances if self._leases.steady else set():
            log.warning("instance %s is gone", instance)
            self._instances.discard(instance)
            await self.on_lost(instance)
        self._instances |= instances - {self._instance}

    async def _arrived(self, worker: str, info: dict[str, Any]) -> None:
        own = self._own.get(worker)
        if own is None and not is_ours(Path(info["socket"])):
            if worker not in self._refused:
                log.error("worker %s is not one of ours: its socket belongs to somebody else", worker)
                self._refused.add(worker)
            return
        at = own.at if own is not None else WorkerAt(worker, str(info["name"]), Path(info["socket"]), False)
        try:
            await self._joined(at)
        except OSError:
            return  # it has died, or is on another machine
        self._told.add(worker)

    async def _listens(self, worker: str, info: dict[str, Any] | None) -> bool:
        """False for certain only: nobody is behind its socket."""
        if self.connected(worker) or info is None:
            return True
        try:
            _, writer = await asyncio.open_unix_connection(info["socket"])
        except (FileNotFoundError, ConnectionRefusedError):
            with contextlib.suppress(LeasesAwayError):
                await self._leases.end_worker(worker)
            return False
        except OSError:
            return True
        writer.close()
        return True

    async def _gone(self, worker: str) -> None:
        if worker in self._told:
            self._told.discard(worker)
            await self._left(worker)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except LeasesAwayError:
                log.debug("Redis does not answer")
            except Exception as error:
                log.error("looking after the cluster failed: %s", describe(error))


async def _no_matter(_instance: str) -> None:
    return None


async def _nothing_to_do() -> None:
    return None
