"""One session's ends of the compiled path: where its packets come from, and where they go.

What is not plain media over UDP takes the Python way of `SrtpPath`, with the same libsrtp sessions.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any

from media.aiortc_seam import SrtpKeys
from media.fan import Spread, Way, one_by_one
from media.ice.endpoint import Path
from media.ice.hub import UdpPath
from media.native.library import Library
from media.srtp import Out, SrtpPath

_ADDRESS = struct.Struct("=H2s")


def packed_address(source: tuple[Any, ...]) -> bytes:
    """A socket address of Python's as the kernel's bytes (sockaddr_in, sockaddr_in6)."""
    host, port = str(source[0]).partition("%")[0], int(source[1]).to_bytes(2, "big")
    if len(source) == 2:
        return _ADDRESS.pack(socket.AF_INET, port) + socket.inet_pton(socket.AF_INET, host) + bytes(8)
    flow, scope = int(source[2]).to_bytes(4, "big"), int(source[3]).to_bytes(4, sys.byteorder)
    return _ADDRESS.pack(socket.AF_INET6, port) + flow + socket.inet_pton(socket.AF_INET6, host) + scope


def address_of(packed: bytes) -> tuple[Any, ...]:
    """The other way, as `recvfrom` gives it."""
    family, port = _ADDRESS.unpack_from(packed)
    number = int.from_bytes(port, "big")
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, packed[4:8]), number
    flow, scope = int.from_bytes(packed[4:8], "big"), int.from_bytes(packed[24:28], sys.byteorder)
    host = socket.inet_ntop(socket.AF_INET6, packed[8:24])
    if scope:
        numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
        host = socket.getnameinfo((host, number, flow, scope), numeric)[0]
    return host, number, flow, scope


class NativePath(SrtpPath):
    """An SrtpPath that forwards in C while media goes over UDP."""

    __slots__ = ("_call", "_flush", "_library", "_link", "_report")

    def __init__(self, keys: SrtpKeys, out: Out, library: Library) -> None:
        super().__init__(keys, out)
        self._call = library.lib.hj_forward
        self._library = library
        self._flush, self._report = library.lib.hj_flush, library.lib.hj_report
        self._link = library.ffi.new("struct hj_link *", {"tx": library.pointer(self._tx), "fd": -1})

    def lead(self, path: Path | None, out: Out) -> None:
        super().lead(path, out)
        link = self._link
        self._flush()  # what waits for this way goes where it was meant to go
        link.fd, link.single = -1, 0
        if isinstance(path, UdpPath):
            address = packed_address(path.source)
            link.address[0 : len(address)] = address
            link.address_size = len(address)
            link.fd = path.sock.fileno()

    @property
    def forwarded(self) -> int:
        return super().forwarded + int(self._link.packets)

    @property
    def unsent(self) -> int:
        return super().unsent + int(self._link.refused)

    def forward(self, packet: bytes, pt: int, seq: int, timestamp: int, ssrc: int) -> None:
        if self._call(self._link, packet, len(packet), pt, seq, timestamp, ssrc):
            super().forward(packet, pt, seq, timestamp, ssrc)

    def send_rtcp(self, packet: bytes) -> None:
        if self._report(self._link, packet, len(packet)):
            super().send_rtcp(packet)

    def together(self, ways: Sequence[Way]) -> Spread | None:
        """One call for all of them, this one among them; None when one of them is not of this kind."""
        paths = [getattr(way.forward, "__self__", None) for way in ways]
        mine = [path for path in paths if isinstance(path, NativePath) and path._library is self._library]
        if len(mine) != len(ways):
            return None
        cells = self._library.ffi.new("struct hj_way[]", len(ways))
        for cell, path, way in zip(cells, mine, ways, strict=True):
            cell.link, cell.number, cell.timestamp, cell.ssrc = (
                path._link,
                way.number,
                way.timestamp,
                way.ssrc,
            )
        call, count = self._library.lib.hj_spread, len(ways)
        alone = [one_by_one([way]) for way in ways]

        def spread(packet: bytes, number: int, timestamp: int) -> None:
            if call(cells, count, packet, len(packet), number, timestamp):
                for path, forward in zip(mine, alone, strict=True):
                    if path._link.fd < 0:
                        forward(packet, number, timestamp)

        return spread
