"""Redundant audio (RFC 2198): one packet that carries what it stands for and what earlier ones held.

Works on bytes only. Garbage yields None, never an exception.
"""

from __future__ import annotations

from typing import NamedTuple


class Block(NamedTuple):
    """One payload of a packet; `behind` is how much older than the packet its RTP time is."""

    payload_type: int
    behind: int
    data: bytes


def unpack(payload: bytes) -> list[Block] | None:
    """The blocks of a RED payload, oldest first, the primary one last; None when the lengths do not hold."""
    heads: list[tuple[int, int, int]] = []
    at, end = 0, len(payload)
    while at < end and payload[at] & 0x80:
        if at + 4 > end:
            return None
        word = int.from_bytes(payload[at : at + 4], "big")
        heads.append((word >> 24 & 0x7F, word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
    if at >= end:
        return None
    primary = payload[at] & 0x7F
    at += 1
    blocks: list[Block] = []
    for payload_type, behind, length in heads:
        if at + length > end:
            return None
        blocks.append(Block(payload_type, behind, payload[at : at + length]))
        at += length
    return [*blocks, Block(primary, 0, payload[at:])]


def payload_type_of(mime: str) -> int:
    """The payload type that a track's MIME type gives to RED (`audio/opus;red=63`); -1 for none."""
    _, _, told = mime.partition(";red=")
    return int(told) if told.isascii() and told.isdecimal() and len(told) <= 3 else -1
