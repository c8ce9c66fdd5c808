"""Passive ICE-TCP: RFC 4571 frames on a connection the browser opened (RFC 6544).

Must not hold more than one frame, nor keep a connection that proves to be nobody's.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from typing import Protocol, cast

from media.ice import stun
from media.ice.endpoint import Endpoint

MAX_FRAME_BYTES = 1500
WRITE_LIMIT_BYTES = 256 * 1024
"""Beyond this much unsent, packets are dropped: late media is worth nothing."""
UNPROVEN_S = 10.0
MAX_UNPROVEN = 1024
"""Open connections that belong to no session yet, over all addresses."""
MAX_UNPROVEN_PER_ADDRESS = 32

_LENGTH = struct.Struct("!H")


class TcpOwner(Protocol):
    """The hub as a connection sees it."""

    counters: Counter[str]

    def tcp_unproven(self, host: str) -> tuple[int, int]: ...

    def tcp_opened(self, path: TcpPath) -> None: ...

    def tcp_closed(self, path: TcpPath) -> None: ...

    def take_frame(self, path: TcpPath, frame: bytes) -> bool: ...


class TcpPath(asyncio.Protocol):
    """One accepted connection; it is an ICE path like a UDP address."""

    def __init__(self, hub: TcpOwner) -> None:
        self._hub = hub
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._address: stun.Address = ("0.0.0.0", 0)
        self._deadline: asyncio.TimerHandle | None = None
        self.endpoint: Endpoint | None = None

    @property
    def address(self) -> stun.Address:
        return self._address

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if not peer or self._too_many(str(peer[0]).partition("%")[0]):
            self._hub.counters["tcp_refused"] += 1
            self._transport.abort()
            return
        self._address = (str(peer[0]).partition("%")[0], int(peer[1]))
        self._hub.tcp_opened(self)
        self._deadline = asyncio.get_running_loop().call_later(UNPROVEN_S, self._expire)

    def _too_many(self, host: str) -> bool:
        everybody, here = self._hub.tcp_unproven(host)
        return everybody >= MAX_UNPROVEN or here >= MAX_UNPROVEN_PER_ADDRESS

    def _expire(self) -> None:
        if self.endpoint is None:
            self._hub.counters["tcp_unproven"] += 1
            self.abort()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= 2:
            (length,) = _LENGTH.unpack_from(buffer, at)
            if length > MAX_FRAME_BYTES:
                self._hub.counters["tcp_frame"] += 1
                self.abort()
                return
            if len(buffer) - at - 2 < length:
                break
            frame = bytes(buffer[at + 2 : at + 2 + length])
            at += 2 + length
            if not self._hub.take_frame(self, frame):
                self.abort()
                return
        del buffer[:at]

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._transport = None
        self._hub.tcp_closed(self)

    def send(self, data: bytes | bytearray | memoryview) -> bool:
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > WRITE_LIMIT_BYTES:
            self._hub.counters["tcp_full"] += 1
            return False
        transport.write(_LENGTH.pack(len(data)) + bytes(data))
        return True

    def abort(self) -> None:
        """Drop the connection at once. Idempotent."""
        if self._transport is not None:
            self._transport.abort()
