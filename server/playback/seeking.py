"""A finished track as a file in which a thread seeks: only the pieces that it asks for are read and opened.

It must not be used on the event loop's own thread, which it waits for.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Coroutine
from typing import Any

PIECE_S = 30.0
"""A piece that takes longer comes from a store that is away."""


class Seekable(io.RawIOBase):
    """`read(start, end)`: the bytes between, on `loop`; its errors are raised where the file is read."""

    def __init__(
        self,
        read: Callable[[int, int], Coroutine[Any, Any, bytes]],
        size: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._read, self._size, self._loop = read, size, loop
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._size, self._at + len(view))
        if self._at >= end:
            return 0
        piece = asyncio.run_coroutine_threadsafe(self._read(self._at, end), self._loop).result(PIECE_S)
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
