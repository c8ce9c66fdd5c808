"""What a document is read from: a size and ranges. It must not tell a path, a key or a name."""

from __future__ import annotations

from typing import Protocol

LONGEST_READ = 256 * 1024
"""The longest range that a decoding child asks for, in bytes."""


class Source(Protocol):
    """A document's clear bytes. Whoever implements it decrypts; reads come one at a time, in any order."""

    @property
    def size(self) -> int:
        """Length of the document in bytes."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes at `offset`, all of them inside; 0 < `length` <= LONGEST_READ.

        May raise whatever it likes: the child is ended and the error passed on.
        """
        ...


class BytesSource:
    """A document in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    async def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]
