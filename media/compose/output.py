"""The sealed file a composition goes into, in the two shapes that muxers want.

`Patchable` lets a muxer leave room at the front and come back to it; `Onwards` is for writers that never look
back. What is sealed goes to the disk, nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from media.recordstore.sealed import SealedReader, SealedWriter


@dataclass(frozen=True, slots=True)
class Output:
    """Where to write and under which key."""

    path: Path
    key: bytes = field(repr=False)
    associated: bytes = field(repr=False)

    def writer(self, hold: int = 1) -> SealedWriter:
        """The first `hold` segments may be written again before commit."""
        return SealedWriter(self.path, self.key, self.associated, hold=hold)

    def read_back(self) -> tuple[int, str]:
        """(bytes, SHA-256) of the finished plaintext, every segment opened again."""
        digest = hashlib.sha256()
        with SealedReader(self.path, self.key, self.associated) as reader:
            for chunk in reader.chunks():
                digest.update(chunk)
            return reader.size, digest.hexdigest()


class Patchable:
    """A file-like object for PyAV: a seek beyond the end leaves zeros, to be written later."""

    def __init__(self, writer: SealedWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> int:
        """At the position."""
        return self._writer.write(data)

    def tell(self) -> int:
        """The position."""
        return self._writer.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Anywhere that is still held, or beyond the end."""
        here = self._writer.tell()
        end = self._writer.seek(0, 2)
        wanted = {0: 0, 1: here, 2: end}[whence] + offset
        if wanted > end:
            self._writer.write(bytes(wanted - end))
        return self._writer.seek(wanted)


class Onwards:
    """A file-like object that can only be written on."""

    def __init__(self, writer: SealedWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> int:
        """At the end."""
        return self._writer.write(data)

    def flush(self) -> None:
        """Nothing is held back but what is not sealed yet."""
