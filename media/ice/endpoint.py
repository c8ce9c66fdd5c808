"""What the hub, a session's transport and a compiled drain are to each other: types only."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from media.ice.stun import Address


class Path(Protocol):
    """A way to one remote address: a UDP source or one TCP connection. Hashable, equal when the same."""

    @property
    def address(self) -> Address: ...

    def send(self, data: bytes | bytearray | memoryview) -> bool:
        """False when it was dropped. Never raises."""


class Endpoint(Protocol):
    """A session's transport as the hub sees it. Exceptions out of it are counted and logged, no more."""

    @property
    def inbound(self) -> Any:
        """Its receiving half in the hub's drain, if it has one."""

    def on_stun(self, data: bytes, path: Path, now_ns: int) -> None: ...

    def on_dtls(self, data: bytes, path: Path, now_ns: int) -> None: ...

    def on_srtp(self, data: memoryview, now_ns: int) -> None:
        """`data` is the hub's buffer, valid only during the call."""

    def on_path_lost(self, path: Path) -> None: ...

    def on_tick(self, now_ns: int) -> None: ...

    def on_stood_still(self, gap_ns: int) -> None: ...


class Drain(Protocol):
    """Reads the hub's sockets in its stead (`media.native.drain`); what it does not know is the hub's."""

    def readable(self, sock: socket.socket) -> None: ...

    def inbound(self) -> Any:
        """The receiving half of a new session; given back with `forget`."""

    def path(self, inbound: Any, keys: Any, out: Callable[[memoryview], bool], sink: Any) -> Any:
        """The session has its keys: a `media.srtp.SrtpPath`."""

    def forget(self, inbound: Any) -> None: ...

    def hold(self, sock: socket.socket, source: tuple[Any, ...], inbound: Any) -> None: ...

    def let_go(self, sock: socket.socket, source: tuple[Any, ...]) -> None: ...
