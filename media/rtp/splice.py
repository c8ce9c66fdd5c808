"""The numbers in a VP8 payload descriptor that run on from picture to picture (RFC 7741 4.2), made to run on
over a splice of two streams. Receivers follow references by them: where they jump, a loss later cannot be
told from the jump and the picture stands. Nothing is decoded.
"""

from __future__ import annotations

from typing import NamedTuple

from media.rtp.packets import payload_offset


class Numbers(NamedTuple):
    """Picture id and TL0PICIDX of a packet, -1 where it has none; or what is added to each."""

    picture: int
    base: int


def numbers_of(packet: bytes) -> Numbers:
    """What the descriptor says; both -1 for a truncated or plain one."""
    at = payload_offset(packet)
    size = len(packet)
    if at + 1 >= size or not packet[at] & 0x80:
        return Numbers(-1, -1)
    flags = packet[at + 1]
    at += 2
    picture = -1
    if flags & 0x80:
        if at + 1 >= size:
            return Numbers(-1, -1)
        if packet[at] & 0x80:
            picture = (packet[at] & 0x7F) << 8 | packet[at + 1]
            at += 2
        else:
            picture = packet[at]
            at += 1
    base = packet[at] if flags & 0x40 and at < size else -1
    return Numbers(picture, base)


def following(last: Numbers, before: Numbers, first: Numbers) -> Numbers:
    """What to add to a stream that begins with `first`, so that it follows `last`, to which `before` was
    added."""
    picture = base = 0
    if last.picture >= 0 and first.picture >= 0:
        picture = (last.picture + before.picture + 1 - first.picture) & 0x7FFF
    if last.base >= 0 and first.base >= 0:
        base = (last.base + before.base + 1 - first.base) & 0xFF
    return Numbers(picture, base)


def renumbered(packet: bytes, add: Numbers) -> bytes:
    """The packet with the numbers in its descriptor moved on; lengths stay as they are."""
    at = payload_offset(packet)
    size = len(packet)
    if at + 1 >= size or not packet[at] & 0x80:
        return packet
    flags = packet[at + 1]
    at += 2
    out = bytearray(packet)
    if flags & 0x80:
        if at + 1 >= size:
            return packet
        if packet[at] & 0x80:
            picture = ((packet[at] & 0x7F) << 8 | packet[at + 1]) + add.picture
            out[at] = 0x80 | picture >> 8 & 0x7F
            out[at + 1] = picture & 0xFF
            at += 2
        else:
            out[at] = packet[at] + add.picture & 0x7F
            at += 1
    if flags & 0x40 and at < size:
        out[at] = packet[at] + add.base & 0xFF
    return bytes(out)
