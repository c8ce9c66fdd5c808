"""A network namespace of its own for a test: loopback and one interface, nothing of the machine's.

Needs root and `ip`; without them `available()` is false and the caller runs in the ordinary network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from media.ice.addresses import interface_addresses

ADDRESS = "192.0.2.10"  # TEST-NET-1: belongs to nobody


def available() -> bool:
    """True when a namespace can be made here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def namespace() -> Iterator[tuple[str, ...]]:
    """Yields the command prefix that runs a program inside; removes the namespace afterwards."""
    name = f"hj-test-{os.getpid()}"
    _ip("netns", "add", name)
    try:
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "link", "add", "hj0", "type", "veth", "peer", "name", "hj1")
        _ip("-n", name, "addr", "add", f"{ADDRESS}/24", "dev", "hj0")
        _ip("-n", name, "link", "set", "hj0", "up")
        _ip("-n", name, "link", "set", "hj1", "up")
        yield ("ip", "netns", "exec", name)
    finally:
        _ip("netns", "del", name)


@contextmanager
def some_interface() -> Iterator[None]:
    """With an address that is not loopback: the machine's own, or, where it has none and we may, one of ours.

    For a browser that is steered over a socket and so cannot live in a namespace of its own.
    """
    if any(not ip_address(found).is_loopback for found in interface_addresses() if ":" not in found):
        yield
        return
    _ip("link", "add", "hj2", "type", "veth", "peer", "name", "hj3")
    try:
        _ip("addr", "add", f"{ADDRESS}/24", "dev", "hj2")
        _ip("link", "set", "hj2", "up")
        _ip("link", "set", "hj3", "up")
        yield
    finally:
        _ip("link", "del", "hj2")


def wrapper(folder: Path, prefix: tuple[str, ...], program: str) -> str:
    """An executable script that runs a program inside the namespace, for launchers that take one path."""
    path = folder / "inside"
    path.write_text(f'#!/bin/sh\nexec {" ".join(prefix)} {program} "$@"\n')
    path.chmod(0o755)
    return str(path)
