"""What the server stands on: the programs it starts and the disk that it publishes to.

Chosen by whoever composes a server (`server.app.running`), never by a setting, an argument or the
environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from media.recordstore.disk import DISK, Disk

WORKER = (sys.executable, "-m", "media.worker")
FINALISER = (sys.executable, "-m", "server.runtime.child", "media.finaliser")
LISTENER = (sys.executable, "-m", "server.runtime.child", "media.listener")
COMPOSER = (sys.executable, "-m", "server.runtime.child", "media.composer")
_PACKAGES = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Machinery:
    """Commands as argument lists; our own process id is appended to the finaliser's. Tests name others."""

    worker: tuple[str, ...] = WORKER
    finaliser: tuple[str, ...] = FINALISER
    disk: Disk = DISK


MACHINERY = Machinery()


SECRETS = ("AWS_", "HYEOPJIN_REDIS_URL", "HYEOPJIN_DATABASE_URL")
"""Beginnings of names in our environment that carry passwords none of our children needs."""


def child_environment() -> dict[str, str]:
    """What a child inherits: everything but the passwords of object store, Redis and database."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}


async def start_child(
    command: tuple[str, ...], *, limit: int = 64 * 1024, pass_fds: tuple[int, ...] = ()
) -> asyncio.subprocess.Process:
    """A program of ours with three pipes, in a process group of its own. `limit`: its longest line."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        cwd=_PACKAGES,
        env=child_environment(),
        limit=limit,
        pass_fds=pass_fds,
    )
