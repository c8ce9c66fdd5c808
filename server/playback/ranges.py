"""Byte ranges and validators of RFC 9110, as pure functions.

Must not do I/O. A Range that is malformed, of another unit or asks for several ranges is ignored, as
RFC 9110 section 14.2 allows: the whole representation is the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SINGLE = re.compile(r"[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII)
_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')


class RangeNotSatisfiableError(Exception):
    """The range lies wholly outside: HTTP 416 (RFC 9110 section 15.5.17)."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to `end`, `end` exclusive, of a representation of `size` bytes."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def content_range(self) -> str:
        """The Content-Range field's value; its last position is inclusive (RFC 9110 section 14.4)."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def parse_range(value: str | None, size: int) -> ByteRange | None:
    """The one range asked for, or None where the whole representation is the answer.

    Raises RangeNotSatisfiableError when it starts at or after `size`, or is a suffix of no bytes.
    """
    if value is None:
        return None
    unit, equals, specifier = value.partition("=")
    if unit.strip().lower() != "bytes" or not equals:
        return None
    match = _SINGLE.fullmatch(specifier)
    if match is None:
        return None
    first, last = match[1], match[2]
    if not first:
        return _suffix(last, size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiableError
    return ByteRange(start, min(int(last) + 1, size) if last else size, size)


def _suffix(digits: str, size: int) -> ByteRange | None:
    if not digits:
        return None
    length = min(int(digits), size)
    if length == 0:
        raise RangeNotSatisfiableError
    return ByteRange(size - length, size, size)


def range_applies(if_range: str | None, etag: str) -> bool:
    """Whether a Range is to be honoured: strong comparison (RFC 9110 section 13.1.5).

    A date never matches, because we send no Last-Modified.
    """
    return if_range is None or if_range.strip() == etag


def none_match(if_none_match: str | None, etag: str) -> bool:
    """True if the requester already has this representation: weak comparison (section 13.1.2)."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return any(match[0].removeprefix("W/") == etag for match in _ETAG.finditer(if_none_match))
