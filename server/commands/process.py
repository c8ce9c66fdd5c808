"""Running the server as a process: one stop signal is enough, the second changes nothing.

Also the marker that tells a demo's data directory from a real one: they never meet.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import typer

from server.app import Running, running
from server.config import ConfigError, Settings
from server.runtime.machinery import MACHINERY, Machinery
from server.runtime.supervisor import WorkerStartError

log = logging.getLogger("hyeopjin.process")

Marker = Literal["DEMO", "SERVE"]
_OTHER: dict[Marker, Marker] = {"DEMO": "SERVE", "SERVE": "DEMO"}


def claim_directory(path: Path, marker: Marker, redis_url: str = "") -> None:
    """Makes the directory ours, or refuses one that something else made.

    Raises ConfigError: `demo` takes an empty directory or its own; `serve` any but a demo's; and neither one
    in which a server runs, which would finalise its recordings under it. Held until the process ends.
    Instances that name the same `redis_url` share it.
    """
    if not (path / marker).is_file():
        _mark(path, marker)
    handle = os.open(path / marker, os.O_RDONLY | os.O_CLOEXEC)  # never closed: it holds the lock
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if redis_url else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise ConfigError(f"Another server runs on the data directory {path} already.") from None
    if redis_url:
        _same_redis(path, redis_url)


def _same_redis(path: Path, redis_url: str) -> None:
    """Whoever is there first writes down which Redis it is; who comes later must name the same one."""
    parts = urlsplit(redis_url)
    address = f"{parts.hostname or ''}:{parts.port or 6379}{parts.path}"
    mine = hashlib.sha256(address.encode()).hexdigest()
    handle = os.open(path / "CLUSTER", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # never closed
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(handle, 0)
        os.pwrite(handle, mine.encode(), 0)
    except BlockingIOError:
        pass
    fcntl.flock(handle, fcntl.LOCK_SH)
    if os.pread(handle, 128, 0).decode() != mine:
        raise ConfigError(f"Another instance of the data directory {path} uses another redis_url.")


def _mark(path: Path, marker: Marker) -> None:
    if (path / _OTHER[marker]).exists():
        made_by = _OTHER[marker].lower()
        raise ConfigError(f"The data directory {path} was made by `{made_by}`; choose another one.")
    if marker == "DEMO" and path.exists() and any(path.iterdir()):
        raise ConfigError(f"The data directory {path} was not made by `demo`; choose an empty one.")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    (path / marker).write_text("Hyeopjin data directory. Do not remove this file.\n")


def machinery_of(context: typer.Context) -> Machinery:
    """What the caller of the command line gave as its object (tests do), else the product's own."""
    return context.obj if isinstance(context.obj, Machinery) else MACHINERY


def run_until_stopped(
    settings: Settings, ready: Callable[[Running], Awaitable[None]], machinery: Machinery = MACHINERY
) -> None:
    """Serves until SIGINT or SIGTERM, then closes everything. `ready` is called once all parts are up."""
    # Its memory holds keys and its files people: no core dump, and no file that others may read.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    try:
        asyncio.run(_serve(settings, ready, machinery))
    except (ConfigError, WorkerStartError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    # Everything of ours is closed. Python's own taking-apart of its modules is not waited for: on a busy
    # machine it takes as long as all the rest, and whoever pressed Ctrl-C was promised 3 s.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _serve(
    settings: Settings, ready: Callable[[Running], Awaitable[None]], machinery: Machinery
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    main, up = asyncio.current_task(), False

    def asked_to_stop() -> None:
        stop.set()
        if not up and main is not None:
            main.cancel()  # nobody waits for a start that is no longer wanted
        for number in (signal.SIGINT, signal.SIGTERM):
            # From here on we are stopping; a second Ctrl-C must not tear the closing apart.
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_stop)
    try:
        async with running(settings, machinery) as server:
            await ready(server)
            up = True
            await stop.wait()
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    log.info("stopped")
