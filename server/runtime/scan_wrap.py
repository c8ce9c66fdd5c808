"""A document as a scanner gets it that judges types by itself: the one member of a zip, stored.

Servers for proxies look only into the types that somebody has listed, and answer for all others as for clean
ones. An archive they open, and `server/commands/scan_check.py` asks whether they do. It must not hold more
than a piece.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from typing import Final

NAME: Final = b"document"
_STORED: Final = 0
_SIZES_FOLLOW: Final = 0x0008
_1980: Final = 0x21  # a date of before all documents
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_AFTER: Final = struct.Struct("<4sIII")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
OVERHEAD: Final = _LOCAL.size + _AFTER.size + _CENTRAL.size + 2 * len(NAME) + _END.size


async def wrapped(pieces: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """The zip around `size` bytes, piece by piece: `size + OVERHEAD` (APPNOTE 4.3; no zip64: under 4 GiB)."""
    yield local_header(NAME)
    checksum = 0
    async for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
        yield piece
    yield ends([(NAME, checksum, size)])


def local_header(name: bytes) -> bytes:
    """Before a member whose sizes come after it."""
    return _LOCAL.pack(b"PK\x03\x04", 20, _SIZES_FOLLOW, _STORED, 0, _1980, 0, 0, 0, len(name), 0) + name


def sizes(checksum: int, size: int) -> bytes:
    """After a member."""
    return _AFTER.pack(b"PK\x07\x08", checksum, size, size)


def ends(members: list[tuple[bytes, int, int]]) -> bytes:
    """What comes after the last member's bytes: its sizes, and the table of all (name, CRC-32, size)."""
    table, at = b"", 0
    for name, checksum, size in members:
        table += (
            _CENTRAL.pack(
                b"PK\x01\x02", 20, 20, _SIZES_FOLLOW, _STORED, 0, _1980, checksum, size, size,
                len(name), 0, 0, 0, 0, 0, at,
            )
            + name
        )  # fmt: skip
        at += _LOCAL.size + len(name) + size + _AFTER.size
    _, checksum, size = members[-1]
    count = len(members)
    return sizes(checksum, size) + table + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(table), at, 0)
