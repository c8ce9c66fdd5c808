"""Redundant audio (RFC 2198): one packet that carries what it stands for and what earlier ones held.

Works on bytes only. Garbage yields nothing, never an exception.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from media.codecs import OPUS_PT
from media.rtp.packets import payload_end, payload_offset

_HEADER = Struct("!BBHI")
_MAX_BLOCKS = 8


class Block(NamedTuple):
    """One payload of a packet; `behind` is how much older than the packet its RTP time is."""

    payload_type: int
    behind: int
    data: bytes


class Held(NamedTuple):
    """What a packet says once more of an earlier one: its RTP time, and all of its Opus."""

    timestamp: int
    opus: bytes


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


def plain(packet: bytes) -> bytes:
    """The packet with its primary block alone, as plain Opus; without any where it has none, as padding has
    (a number left out would be asked for again for nothing).

    The same bytes for the same packet, always: it may be sent again.
    """
    payload = payload_offset(packet)
    end = payload_end(packet, payload)
    at, skipped = payload, 0
    while at + 4 <= end and packet[at] & 0x80:
        skipped += (packet[at + 2] & 3) << 8 | packet[at + 3]
        at += 4
    start = at + 1 + skipped
    if at >= end or packet[at] != OPUS_PT or start > end:
        start = end
    head = bytes((packet[0] & 0xDF, packet[1] & 0x80 | OPUS_PT))
    return b"".join((head, packet[2:payload], packet[start:end]))


def held(packet: bytes) -> list[Held]:
    """The packets before this one that it holds too, newest first."""
    payload = payload_offset(packet)
    blocks = unpack(packet[payload : payload_end(packet, payload)])
    if blocks is None or len(blocks) > _MAX_BLOCKS:
        return []
    timestamp = int.from_bytes(packet[4:8], "big")
    found: list[Held] = []
    after = 0
    for block in reversed(blocks[:-1]):
        if block.behind <= after or block.payload_type != OPUS_PT or not block.data:
            break
        after = block.behind
        found.append(Held(timestamp - block.behind & 0xFFFFFFFF, block.data))
    return found


def rebuilt(carrier: bytes, number: int, one: Held) -> bytes:
    """The plain packet of that number. It keeps its carrier's extensions: a voice's level 20 ms later."""
    head = _HEADER.pack(carrier[0] & 0xDF, OPUS_PT, number & 0xFFFF, one.timestamp)
    return b"".join((head, carrier[8 : payload_offset(carrier)], one.opus))


def payload_type_of(mime: str) -> int:
    """The payload type that a track's MIME type gives to RED (`audio/opus;red=63`); -1 for none."""
    _, _, told = mime.partition(";red=")
    return int(told) if told.isascii() and told.isdecimal() and len(told) <= 3 else -1
