"""Four network namespaces: a hospital's computer, its firewall, the server, the relay. Packets really drop.

    place 198.51.100.10 --- border, which routes and drops --- centre 203.0.113.10
                                                           `-- relay  203.0.113.20

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
    relay: str

    @property
    def all(self) -> tuple[str, ...]:
        return self.place, self.border, self.centre, self.relay

    def prefix(self, namespace: str) -> tuple[str, ...]:
        """The words before a command that is to run there."""
        return ("ip", "netns", "exec", namespace)

    def block(self, *what: str) -> None:
        """Drops without a word what the place sends and matches, like `block("ipproto", "udp")`."""
        _ip("-n", self.border, "rule", "add", "iif", "inner", *what, "blackhole", "pref", "100")

    def let_through(self, *what: str) -> None:
        """Before every block: this goes through. Answers always do."""
        _ip("-n", self.border, "rule", "add", "iif", "inner", *what, "lookup", "main", "pref", "50")

    def only_tls(self) -> None:
        """A strict hospital: TCP to port 443, nothing else."""
        self.let_through("ipproto", "tcp", "dport", "443")
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
    """The four namespaces for the length of a block, everything open at first."""
    if not networks.available():
        raise RuntimeError("this test needs root and iproute2: it makes network namespaces of its own")
    number = f"{os.getpid()}-{next(_NUMBERS)}"
    made = Borders(*(f"hj-{part}-{number}" for part in ("place", "border", "centre", "relay")))
    try:
        for name in made.all:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _wire(made, made.place, f"{PLACE}/24", "198.51.100.1/24", "inner")
        _wire(made, made.centre, f"{MEDIA}/28", "203.0.113.1/28", "outer")
        _wire(made, made.relay, f"{TURN}/28", "203.0.113.17/28", "beside")
        _ip("-n", made.relay, "addr", "add", f"{TURN6}/64", "dev", "hj0", "nodad")
        subprocess.run(
            [*made.prefix(made.border), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True
        )
        yield made
    finally:
        for name in made.all:
            _ip("netns", "del", name, check=False)


def _wire(made: Borders, namespace: str, address: str, gateway: str, name: str) -> None:
    """A cable between a namespace and the border."""
    _ip("-n", namespace, "link", "add", "hj0", "type", "veth", "peer", "name", name, "netns", made.border)
    _ip("-n", namespace, "addr", "add", address, "dev", "hj0")
    _ip("-n", made.border, "addr", "add", gateway, "dev", name)
    _ip("-n", namespace, "link", "set", "hj0", "up")
    _ip("-n", made.border, "link", "set", name, "up")
    _ip("-n", namespace, "route", "add", "default", "via", gateway.partition("/")[0])
