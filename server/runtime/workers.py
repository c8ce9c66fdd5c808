"""This machine's media workers: one supervisor each, told to the fleet as they come and go.

A death is the matter of one worker only; so is a replacement after a drain. It must not know of rooms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from server.runtime.media_link import WorkerAt
from server.runtime.supervisor import WorkerOptions, WorkerReady, WorkerSupervisor

Joined = Callable[[WorkerAt], Awaitable[None]]
Left = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Place:
    """One worker's place: `worker` and `port` are None while there is nobody in it."""

    name: str
    worker: str | None
    pid: int | None
    port: int | None
    starts: int


class LocalWorkers:
    """A `fleet.Roster` of so many workers as there are ports. Their names are "0", "1", …"""

    def __init__(self, options: WorkerOptions, ports: tuple[int, ...], prefix: str = "") -> None:
        """`prefix`: of their ids, when other processes have workers too."""
        self._prefix = prefix
        self._supervisors = [
            WorkerSupervisor(replace(options, udp_port=port, name=str(index)))
            for index, port in enumerate(ports)
        ]

    @property
    def wanted(self) -> int:
        """How many there should be."""
        return len(self._supervisors)

    @property
    def starts(self) -> int:
        """How many processes were started in all (for metrics)."""
        return sum(supervisor.starts for supervisor in self._supervisors)

    def places(self) -> list[Place]:
        """What is where now."""
        return [self._place(str(index), one) for index, one in enumerate(self._supervisors)]

    async def start(self, joined: Joined, left: Left) -> None:
        """All at once. Raises WorkerStartError when one of them does not start, leaving none."""
        for index, supervisor in enumerate(self._supervisors):
            _Told(self._prefix, str(index), supervisor, joined, left)
        results = await asyncio.gather(
            *(supervisor.start() for supervisor in self._supervisors), return_exceptions=True
        )
        for error in results:
            if isinstance(error, BaseException):
                await self.stop()
                raise error

    async def stop(self) -> None:
        await asyncio.gather(*(supervisor.stop() for supervisor in self._supervisors))

    async def replace(self, name: str) -> None:
        """End the worker of this place, which has no rooms any more, and start a fresh one."""
        for index, supervisor in enumerate(self._supervisors):
            if str(index) == name:
                await supervisor.replace()

    def _place(self, name: str, supervisor: WorkerSupervisor) -> Place:
        ready = supervisor.ready
        if ready is None:
            return Place(name, None, None, None, supervisor.starts)
        return Place(
            name, worker_id(self._prefix + name, ready), ready.pid, ready.udp_port, supervisor.starts
        )


class _Told:
    """Passes one supervisor's word on, with the id of the life it is about."""

    def __init__(
        self, prefix: str, name: str, supervisor: WorkerSupervisor, joined: Joined, left: Left
    ) -> None:
        self._prefix = prefix
        self._name = name
        self._joined = joined
        self._left = left
        self._living: str | None = None
        supervisor.on_ready = self.ready
        supervisor.on_lost = self.lost

    async def ready(self, ready: WorkerReady) -> None:
        self._living = worker_id(self._prefix + self._name, ready)
        await self._joined(WorkerAt(self._living, self._name, ready.socket))

    async def lost(self) -> None:
        living, self._living = self._living, None
        if living is not None:
            await self._left(living)


def worker_id(name: str, ready: WorkerReady) -> str:
    """Of one life: no other process ever has it while this server runs."""
    return f"{name}.{ready.start}"
