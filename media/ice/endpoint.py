"""What the hub and a session's transport are to each other: types only."""

from __future__ import annotations

from typing import Protocol

from media.ice.stun import Address


class Path(Protocol):
    """A way to one remote address: a UDP source or one TCP connection. Hashable, equal when the same."""

    @property
    def address(self) -> Address: ...

    def send(self, data: bytes | bytearray | memoryview) -> bool:
        """False when it was dropped. Never raises."""


class Endpoint(Protocol):
    """A session's transport as the hub sees it. Exceptions out of it are counted and logged, no more."""

    def on_stun(self, data: bytes, path: Path, now_ns: int) -> None: ...

    def on_dtls(self, data: bytes, path: Path, now_ns: int) -> None: ...

    def on_srtp(self, data: memoryview, now_ns: int) -> None:
        """`data` is the hub's buffer, valid only during the call."""

    def on_path_lost(self, path: Path) -> None: ...

    def on_tick(self, now_ns: int) -> None: ...

    def on_stood_still(self, gap_ns: int) -> None: ...
