"""Tells a key frame's first packet from its bytes: VP8 payload descriptor (RFC 7741 4.2), nothing decoded."""

from __future__ import annotations


def vp8_descriptor(packet: bytes, start: int, end: int) -> tuple[int, bool] | None:
    """(start of the VP8 payload, whether a frame begins here) by RFC 7741 4.2; None if it does not hold."""
    if start >= end:
        return None
    first = packet[start]
    at = start + 1
    if first & 0x80:
        if at >= end:
            return None
        extended = packet[at]
        at += 1
        if extended & 0x80:
            if at >= end:
                return None
            at += 2 if packet[at] & 0x80 else 1
        if extended & 0x40:
            at += 1
        if extended & 0x30:
            at += 1
    if at >= end:
        return None
    return at, bool(first & 0x10) and not first & 0x07


def vp8_frame_start(packet: bytes, payload: int, end: int) -> bool:
    """Whether the payload begins a frame: S set and partition 0."""
    return payload < end and packet[payload] & 0x17 == 0x10


def vp8_key_frame(packet: bytes, payload: int, end: int) -> bool:
    """Whether the payload at `packet[payload:end]` begins a key frame (P bit of the VP8 header is 0)."""
    if not vp8_frame_start(packet, payload, end):  # most packets stop here
        return False
    found = vp8_descriptor(packet, payload, end)
    return found is not None and not packet[found[0]] & 0x01
