"""A real media worker process for tests: started, spoken to over its control channel, ended by the end of
stdin."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media.control import PeerPlan, RoomPlan, WorkerSettings
from media.control_client import ControlClient
from server.runtime.machinery import WORKER
from tests.support.naps import napping

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class WorkerProcess:
    """The process, its client and every event it has sent."""

    process: asyncio.subprocess.Process
    client: ControlClient
    ready: dict[str, Any]
    events: list[dict[str, Any]]
    journal: Path
    socket: Path
    listeners: list[Callable[[], None]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_event(self, timeout: float = 10.0, **wanted: object) -> dict[str, Any]:
        """The first event, past or coming, with these values."""
        return await self.wait_for(lambda e: all(e.get(k) == v for k, v in wanted.items()), timeout)

    async def wait_for(self, fits: Callable[[dict[str, Any]], bool], timeout: float) -> dict[str, Any]:
        """The first event, past or coming, that fits."""
        async with asyncio.timeout(timeout):
            while True:
                for event in self.events:
                    if fits(event):
                        return event
                self.arrived.clear()
                await self.arrived.wait()

    def last(self, name: str) -> dict[str, Any] | None:
        return next((event for event in reversed(self.events) if event["ev"] == name), None)

    async def end(self) -> float:
        """Closes stdin; returns after how many seconds the process was gone."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        async with asyncio.timeout(30):
            return await napping(self.process.wait())


@asynccontextmanager
async def worker_process(
    announce: tuple[str, ...] = ("127.0.0.1",),
    command: tuple[str, ...] = WORKER,
    journal: Path | None = None,
    log_level: str = "WARNING",
    **settings_more: Any,
) -> AsyncIterator[WorkerProcess]:
    with tempfile.TemporaryDirectory(prefix="hj") as directory:
        journal = journal or Path(directory) / "journal"
        settings = WorkerSettings(
            socket=f"{directory}/run/w.sock",
            journal_root=str(journal),
            udp_host="127.0.0.1",
            announce=announce,
            log_level=log_level,
            **settings_more,
        )
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(settings.to_line())
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        events: list[dict[str, Any]] = []
        worker: WorkerProcess | None = None

        def on_event(event: dict[str, Any]) -> None:
            events.append(event)
            if worker is not None:
                worker.arrived.set()
                for listener in worker.listeners:
                    listener()

        client = await ControlClient.connect(settings.socket, on_event)
        worker = WorkerProcess(process, client, ready, events, journal, Path(settings.socket))
        try:
            yield worker
        finally:
            await client.close()
            if process.returncode is None:
                await worker.end()


def plan(room: str, version: int, peers: dict[str, PeerPlan], *, epoch: int = 1, **more: Any) -> RoomPlan:
    return RoomPlan(room, epoch, version, peers=peers, **more)
