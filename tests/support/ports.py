"""Ports for servers that a test starts: each process of the tests has a range of its own, below those which
the kernel gives away, so that nobody else takes one between the asking and the listening.
"""

from __future__ import annotations

import fcntl
import functools
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

FIRST, EACH, RANGES = 20_000, 190, 64
_held: list[int] = []
"""The lock on this process's range, as long as it lives."""


@functools.cache
def _ours() -> Iterator[int]:
    for number in range(RANGES):
        name = Path(tempfile.gettempdir()) / f"hyeopjin-ports-{os.getuid()}-{number}"
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            continue
        _held.append(handle)
        first = FIRST + EACH * number
        return itertools.cycle(range(first, first + EACH))
    raise AssertionError(f"more than {RANGES} processes of tests")


def free_port() -> int:
    """A port nobody has now, neither for TCP nor for UDP: a media port is both."""
    for port in itertools.islice(_ours(), EACH):
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind(("127.0.0.1", port))
                datagrams.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("every port of this process is taken")
