"""What the server stands on: the programs it starts and the disk that it publishes to.

Chosen by whoever composes a server (`server.app.running`), never by a setting, an argument or the
environment.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from media.recordstore.disk import DISK, Disk

WORKER = (sys.executable, "-m", "media.worker")
FINALISER = (sys.executable, "-m", "server.runtime.child", "media.finaliser")


@dataclass(frozen=True, slots=True)
class Machinery:
    """Commands as argument lists; our own process id is appended to the finaliser's. Tests name others."""

    worker: tuple[str, ...] = WORKER
    finaliser: tuple[str, ...] = FINALISER
    disk: Disk = DISK


MACHINERY = Machinery()


def child_environment() -> dict[str, str]:
    """What a child inherits: everything but the object store's credentials, which none of them needs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
