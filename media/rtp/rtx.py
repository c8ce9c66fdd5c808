"""Retransmission payloads (RFC 4588): unwrap a publisher's, wrap one for a subscriber."""

from __future__ import annotations

from struct import Struct

from media.rtp.packets import payload_end, send_time

_HEADER = Struct("!BBHII")
_SHORT = Struct("!H")
ROOM = 64
"""Spare bytes behind a wrapped packet, for the SRTP tag."""


def original_sequence(packet: bytes, payload: int) -> int:
    """The sequence number that an RTX packet carries, or -1 for a padding probe or a truncated packet."""
    if payload_end(packet, payload) - payload < 2:
        return -1
    return packet[payload] << 8 | packet[payload + 1]


def unwrap(packet: bytes, payload: int, pt: int, ssrc: int) -> bytes:
    """The original packet of an RTX packet that has an `original_sequence`: header and extensions kept."""
    first, marker, _, timestamp, _ = _HEADER.unpack_from(packet)
    header = _HEADER.pack(
        first, marker & 0x80 | pt, packet[payload] << 8 | packet[payload + 1], timestamp, ssrc
    )
    return header + packet[12:payload] + packet[payload + 2 :]


def padding(
    pt: int, ssrc: int, sequence: int, timestamp: int, size: int, at_ns: int
) -> tuple[bytearray, int]:
    """An RTX packet of nothing but `size` <= 255 bytes of padding (RFC 3550 5.1), sent at `at_ns`: receivers
    count it for their estimate and throw it away. Returned as by `wrap`."""
    length = 20 + size
    out = bytearray(length + ROOM)
    _HEADER.pack_into(out, 0, 0xB0, pt, sequence, timestamp & 0xFFFFFFFF, ssrc)
    out[12:20] = b"\xbe\xde\0\1" + send_time(at_ns)
    out[length - 1] = size
    return out, length


def wrap(
    packet: bytes, payload: int, pt: int, ssrc: int, sequence: int, timestamp: int, original: int
) -> tuple[bytearray, int]:
    """An RTX packet around `packet`, whose number on this hop was `original`.

    Returns a buffer with ROOM spare bytes and the packet's length in it.
    """
    out = bytearray(len(packet) + 2 + ROOM)
    out[12:payload] = packet[12:payload]
    _HEADER.pack_into(out, 0, packet[0], packet[1] & 0x80 | pt, sequence, timestamp, ssrc)
    _SHORT.pack_into(out, payload, original)
    out[payload + 2 : len(packet) + 2] = packet[payload:]
    return out, len(packet) + 2
