"""The document as the child sees it: a file that can be sought in, whose bytes the parent sends.

It must not open anything: descriptor 0 is the socket to the parent and the only one that leads anywhere.
"""

from __future__ import annotations

import io
import json
import os
from typing import Any, BinaryIO, cast

from server.decode import wire
from server.decode.limits import SMALL
from server.decode.source import LONGEST_READ

SOCKET = 0
_BUFFER = 64 * 1024


def take(length: int) -> bytes:
    """Exactly `length` bytes from the parent. Raises EOFError when it has gone."""
    parts = bytearray()
    while len(parts) < length:
        part = os.read(SOCKET, min(length - len(parts), LONGEST_READ))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def tell(kind: int, body: bytes) -> None:
    """A frame with a body."""
    _write(wire.FRAME.pack(kind, 0, len(body)) + body)


def job() -> dict[str, Any]:
    """What the parent wants."""
    (length,) = wire.LENGTH.unpack(take(wire.LENGTH.size))
    return cast("dict[str, Any]", json.loads(take(length)))


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(SOCKET, view) :]


class _Ranges(io.RawIOBase):
    """Every read asks the parent."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self._at, self._size)[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), LONGEST_READ, max(0, self._size - self._at))
        if length == 0:
            return 0
        buffer[:length] = span(self._at, length)
        self._at += length
        return length


def span(offset: int, length: int) -> bytes:
    """One range."""
    if length == 0:
        return b""
    _write(wire.FRAME.pack(wire.READ, offset, length))
    return take(length)


def document(size: int) -> BinaryIO:
    """The document of `size` bytes; a small one is fetched at once."""
    ranges = _Ranges(size)
    if size <= SMALL:
        return io.BytesIO(cast("BinaryIO", io.BufferedReader(ranges, LONGEST_READ)).read())
    return io.BufferedReader(ranges, _BUFFER)
