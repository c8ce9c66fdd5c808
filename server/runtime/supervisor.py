"""Keeps one media worker process alive: starts it, hears its ready line, restarts it, ends it.

The worker runs in a session of its own, so a Ctrl-C in the terminal reaches us first and the worker only
through its stdin: end of file there means "seal everything and go", also when we were killed. This module
knows nothing of rooms or of the control channel; it must not leave a process behind, nor write the
settings anywhere but to the worker's stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from media.control import FLOOR_BYTES, WorkerSettings
from server.runtime.machinery import WORKER, start_child
from server.runtime.pipes import pass_through
from server.runtime.tasks import TaskOwner, describe

log = logging.getLogger("hyeopjin.runtime.supervisor")
worker_log = logging.getLogger("hyeopjin.media.worker")

FIRST_BACKOFF_S = 0.2
LAST_BACKOFF_S = 5.0
STEADY_S = 10.0
"""A worker that lived this long starts with the shortest backoff again."""
READY_TIMEOUT_S = 15.0
FIRST_TRIES = 3
"""So often a worker may fail at the very start (its port is taken) before the server's start fails."""
EOF_GRACE_S = 1.5
TERM_GRACE_S = 0.3
MAX_SOCKET_PATH = 90


class WorkerStartError(Exception):
    """The worker did not say that it is ready. `code`: worker_not_ready."""

    code = "worker_not_ready"


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What does not change from one start to the next. `udp_port` 0 = any free one, kept over restarts."""

    journal_root: Path
    run_dir: Path
    udp_host: str = "0.0.0.0"
    udp_port: int = 0
    announce: tuple[str, ...] = ()
    log_level: str = "INFO"
    roll_after_s: float = 0.0  # journal segments end after so long; 0: never
    command: tuple[str, ...] = WORKER
    name: str = "0"  # its place among the workers, in ids and logs
    floor_bytes: int = FLOOR_BYTES


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """A worker that answers: its control socket and the ports pages will use. `start` counts from 1."""

    pid: int
    socket: Path
    udp_port: int
    tcp_port: int | None
    start: int


async def _nothing_lost() -> None:
    return None


async def _nothing_ready(_ready: WorkerReady) -> None:
    return None


class WorkerSupervisor:
    """One worker at a time. Set `on_ready` and `on_lost` before `start`; both are awaited in order.

    `on_lost` is called once for each worker that had been ready and died; not when we stop it.
    """

    def __init__(self, options: WorkerOptions) -> None:
        self.on_ready: Callable[[WorkerReady], Awaitable[None]] = _nothing_ready
        self.on_lost: Callable[[], Awaitable[None]] = _nothing_lost
        self._options = options
        self._journal_root = options.journal_root.absolute()  # the worker has another working directory
        self._owner = TaskOwner("supervisor")
        self._process: asyncio.subprocess.Process | None = None
        self._ready: WorkerReady | None = None
        self._stopping = asyncio.Event()
        self._first: asyncio.Future[WorkerReady] | None = None
        self._private_dir: Path | None = None
        self._udp_port = options.udp_port
        self._starts = 0
        self._replacing = False
        self._announced = asyncio.Event()

    @property
    def ready(self) -> WorkerReady | None:
        """The living worker, or None while there is none."""
        return self._ready

    @property
    def starts(self) -> int:
        """How many workers were started (for metrics)."""
        return self._starts

    async def start(self, timeout: float = READY_TIMEOUT_S) -> WorkerReady:
        """Start the first worker and wait until it is ready. Raises WorkerStartError, leaving nothing."""
        self._first = asyncio.get_running_loop().create_future()
        self._owner.spawn(self._keep_alive(), "keep-alive")
        try:
            async with asyncio.timeout(timeout):
                return await self._first
        except TimeoutError:
            await self.stop()
            raise WorkerStartError("the media worker did not become ready") from None
        except WorkerStartError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the worker within 2 s: end of file, then SIGTERM, then SIGKILL. Idempotent."""
        self._stopping.set()
        if self._process is not None:
            await self._end(self._process)
        await self._owner.close()
        if self._private_dir is not None:
            with contextlib.suppress(OSError):
                self._private_dir.rmdir()
            self._private_dir = None

    async def replace(self) -> None:
        """End this worker, whose rooms are over; returns when a fresh one is ready, or does not come."""
        process = self._process
        if process is None or self._ready is None:
            return
        self._replacing = True
        self._announced.clear()
        await self._end(process)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._announced.wait(), READY_TIMEOUT_S)

    async def _keep_alive(self) -> None:
        backoff = FIRST_BACKOFF_S
        while not self._stopping.is_set():
            began = time.monotonic()
            await self._one_life()
            if self._first is not None and not self._first.done() and self._starts >= FIRST_TRIES:
                self._first.set_exception(WorkerStartError("the media worker does not start"))
                return
            if time.monotonic() - began > STEADY_S:
                backoff = FIRST_BACKOFF_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), backoff)
            backoff = min(backoff * 2, LAST_BACKOFF_S)

    async def _one_life(self) -> None:
        socket = self._socket_path()
        process = await self._spawn()
        self._process = process
        assert process.stderr is not None  # noqa: S101 - PIPE was asked for
        errors = self._owner.spawn(pass_through(process.stderr, worker_log), "stderr")
        try:
            ready = await self._greet(process, socket)
            if ready is None:
                self._udp_port = self._options.udp_port  # a port found free once may be taken by now
                if not self._stopping.is_set():
                    log.error("the media worker did not become ready")
                await self._end(process)
                return
            await self._announce(ready)
            code = await process.wait()
            self._ready = None
            if self._replacing:
                self._replacing = False
                log.info("the media worker ended as asked; starting a fresh one")
            elif not self._stopping.is_set():
                log.error("the media worker ended with %d; starting another", code)
            if not self._stopping.is_set():
                await _guarded(self.on_lost(), "on_lost")
        except asyncio.CancelledError:
            await self._end(process)
            raise
        finally:
            self._ready = None
            self._process = None
            socket.unlink(missing_ok=True)
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(errors), 0.2)

    async def _announce(self, ready: WorkerReady) -> None:
        self._ready = ready
        self._udp_port = ready.udp_port
        log.info("media worker %s (%d) is ready on port %d", self._options.name, ready.pid, ready.udp_port)
        await _guarded(self.on_ready(ready), "on_ready")
        self._announced.set()
        if self._first is not None and not self._first.done():
            self._first.set_result(ready)

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._starts += 1
        return await start_child(self._options.command)

    async def _greet(self, process: asyncio.subprocess.Process, socket: Path) -> WorkerReady | None:
        """Send the settings, read the ready line; None when the worker gave none in time."""
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert process.stdout is not None  # noqa: S101
        options = self._options
        settings = WorkerSettings(
            socket=str(socket),
            journal_root=str(self._journal_root),
            udp_host=options.udp_host,
            udp_port=self._udp_port,
            announce=options.announce,
            log_level=options.log_level,
            roll_after_s=options.roll_after_s,
            worker_id=f"w{options.name}.{self._starts}-{secrets.token_hex(4)}",
            floor_bytes=options.floor_bytes,
        )
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                process.stdin.write(settings.to_line())
                await process.stdin.drain()
                line = await process.stdout.readline()
            told = json.loads(line)
            if told.get("ready") is not True:
                return None
            tcp_port = told.get("tcp_port")
            return WorkerReady(process.pid, socket, int(told["udp_port"]), tcp_port, self._starts)
        except (TimeoutError, OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _socket_path(self) -> Path:
        """A new name each time (nobody connects to a dead worker), short enough for sockaddr_un."""
        name = f"w-{secrets.token_hex(4)}.sock"
        path = self._options.run_dir.absolute() / name
        if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return path
        if self._private_dir is None:
            self._private_dir = Path(tempfile.mkdtemp(prefix="hyeopjin-"))
        return self._private_dir / name

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is not None:
            process.stdin.close()
        if await _ended_within(process, EOF_GRACE_S):
            return
        log.warning("the media worker did not end by itself; terminating it")
        _signal_group(process, signal.SIGTERM)
        if await _ended_within(process, TERM_GRACE_S):
            return
        log.error("the media worker had to be killed")
        _signal_group(process, signal.SIGKILL)
        await process.wait()


async def _ended_within(process: asyncio.subprocess.Process, seconds: float) -> bool:
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)  # it leads a group of its own: start_new_session


async def _guarded(call: Awaitable[None], name: str) -> None:
    """A listener's failure must not stop the supervisor."""
    try:
        await call
    except Exception as error:
        log.error("%s failed: %s", name, describe(error))
