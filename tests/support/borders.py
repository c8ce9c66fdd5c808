"""Three network namespaces: a hospital's computer, its firewall, the servers beyond. Packets really drop.

    place 198.51.100.10 -- border (routes, and drops what it is told to) -- centre 203.0.113.10 and .20

The addresses are those for documentation (RFC 5737, RFC 3849): the deployed files can be used as they are.
Needs root and `ip`. It must not touch the machine's own network.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.support import networks

PLACE = "198.51.100.10"
MEDIA, TURN = "203.0.113.10", "203.0.113.20"
MEDIA6, TURN6 = "2001:db8:113::10", "2001:db8:113::20"
CLONE_NEWNET = 0x40000000
T = TypeVar("T")
_NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True)
class Borders:
    """Names of the namespaces, and what the firewall lets through."""

    place: str
    border: str
    centre: str

    def prefix(self, namespace: str) -> tuple[str, ...]:
        """The words before a command that is to run there."""
        return ("ip", "netns", "exec", namespace)

    def block(self, *what: str) -> None:
        """Drops without a word what is routed and matches, like `block("ipproto", "udp")`."""
        _ip("-n", self.border, "rule", "add", *what, "blackhole", "pref", "100")

    def let_through(self, *what: str) -> None:
        """Before every block: this goes through, both ways being named by the caller."""
        _ip("-n", self.border, "rule", "add", *what, "lookup", "main", "pref", "50")

    def only_tls(self) -> None:
        """A strict hospital: TCP to port 443 and its answers, nothing else."""
        self.let_through("ipproto", "tcp", "dport", "443")
        self.let_through("ipproto", "tcp", "sport", "443")
        self.block()

    def open_all(self) -> None:
        """Everything goes through again."""
        for pref in ("50", "100"):
            while _ip("-n", self.border, "rule", "del", "pref", pref, check=False):
                pass

    def inside(self, namespace: str, work: Callable[[], T]) -> T:
        """Runs `work` on a thread that lives in the namespace; sockets it makes stay there."""
        result: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                with Path(f"/run/netns/{namespace}").open("rb") as handle:
                    if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                result.append(work())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=run, name=namespace)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return result[0]


def _ip(*words: str, check: bool = True) -> bool:
    done = subprocess.run(["ip", *words], capture_output=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.decode().strip()}")
    return done.returncode == 0


@contextmanager
def borders() -> Iterator[Borders]:
    """The three namespaces for the length of a block, everything open at first."""
    if not networks.available():
        raise RuntimeError("this test needs root and iproute2: it makes network namespaces of its own")
    number = f"{os.getpid()}-{next(_NUMBERS)}"
    made = Borders(*(f"hj-{part}-{number}" for part in ("place", "border", "centre")))
    try:
        for name in (made.place, made.border, made.centre):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _wire(made, made.place, [f"{PLACE}/24"], "198.51.100.1", "inner")
        _wire(made, made.centre, [f"{MEDIA}/24", f"{TURN}/24"], "203.0.113.1", "outer")
        for address in (MEDIA6, TURN6):
            _ip("-n", made.centre, "addr", "add", f"{address}/64", "dev", "hj0", "nodad")
        subprocess.run(
            [*made.prefix(made.border), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True
        )
        yield made
    finally:
        for name in (made.place, made.border, made.centre):
            _ip("netns", "del", name, check=False)


def _wire(made: Borders, namespace: str, addresses: list[str], gateway: str, name: str) -> None:
    """A cable between a namespace and the border."""
    _ip("-n", namespace, "link", "add", "hj0", "type", "veth", "peer", "name", name, "netns", made.border)
    for address in addresses:
        _ip("-n", namespace, "addr", "add", address, "dev", "hj0")
    _ip("-n", made.border, "addr", "add", f"{gateway}/24", "dev", name)
    _ip("-n", namespace, "link", "set", "hj0", "up")
    _ip("-n", made.border, "link", "set", name, "up")
    _ip("-n", namespace, "route", "add", "default", "via", gateway)
