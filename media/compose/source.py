"""A sealed track as a seekable file: ciphertext by range from whoever started us, opened in memory.

The other end of the socket knows where the objects lie (a disk, a bucket); this end knows the keys. Nothing
is written anywhere. Question: track number (2 bytes), offset (8), length (4); answer: length (4, signed,
-1: it cannot be read) and that many bytes.
"""

from __future__ import annotations

import io
import socket
import struct
from collections import OrderedDict

from media.recordstore.sealed import HEADER, SEGMENT, RangeOpener

QUESTION = struct.Struct(">HQI")
ANSWER = struct.Struct(">i")
AHEAD = 4
"""Segments fetched at once: tracks are read mostly forwards."""
KEPT = 3 * AHEAD


class SourceError(Exception):
    """A track cannot be read. `code`: track_unreadable."""

    def __init__(self) -> None:
        super().__init__("track_unreadable")
        self.code = "track_unreadable"


class Ranges:
    """Asks for ciphertext over a connected socket; one question at a time."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    def read(self, number: int, start: int, length: int) -> bytes:
        """Raises SourceError."""
        try:
            self._link.sendall(QUESTION.pack(number, start, length))
            (size,) = ANSWER.unpack(self._exactly(ANSWER.size))
            if size != length:
                raise SourceError
            return self._exactly(size)
        except OSError as error:
            raise SourceError from error

    def _exactly(self, size: int) -> bytes:
        parts, missing = [], size
        while missing:
            part = self._link.recv(min(missing, 1 << 20))
            if not part:
                raise SourceError
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


class SealedSource(io.RawIOBase):
    """One track's plaintext, as a demuxer wants it. Raises SourceError, SealedError."""

    def __init__(self, ranges: Ranges, number: int, sealed_size: int, key: bytes, associated: bytes) -> None:
        super().__init__()
        self._ranges = ranges
        self._number = number
        header = ranges.read(number, 0, min(HEADER, sealed_size))
        self._opener = RangeOpener(key, associated, header, sealed_size)
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._at = 0
        self.size = self._opener.plain_size
        if self.size:
            self._segment(self._opener.segments - 1)  # the end is the true end

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Plaintext position."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move anywhere at or after the start."""
        self._at = max(0, {0: 0, 1: self._at, 2: self.size}[whence] + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes: at most what one segment holds, all when negative."""
        if size < 0:
            parts = []
            while part := self.read(SEGMENT):
                parts.append(part)
            return b"".join(parts)
        end = min(self._at + size, self.size)
        if self._at >= end:
            return b""
        low, _ = self._opener.sealed_range(self._at, self._at + 1)
        index = low // SEGMENT
        plain, began = self._segment(index), self._opener.plain_start(index)
        part = plain[self._at - began : end - began]
        self._at += len(part)
        return part

    def _segment(self, index: int) -> bytes:
        if index not in self._kept:
            last = min(index + AHEAD, self._opener.segments)
            start, stop = index * SEGMENT, min(last * SEGMENT, self._opener.sealed_size)
            sealed = self._ranges.read(self._number, start, stop - start)
            for n in range(index, last):
                piece = sealed[(n - index) * SEGMENT : (n - index + 1) * SEGMENT]
                self._kept[n] = self._opener.open_segment(n, piece)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[index]
