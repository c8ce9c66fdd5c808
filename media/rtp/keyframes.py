"""Tells a key frame's first packet from its bytes: VP8 payload descriptor (RFC 7741 4.2), nothing decoded."""

from __future__ import annotations


def vp8_frame_start(packet: bytes, payload: int, end: int) -> bool:
    """Whether the payload begins a frame: S set and partition 0."""
    return payload < end and packet[payload] & 0x17 == 0x10


def vp8_key_frame(packet: bytes, payload: int, end: int) -> bool:
    """Whether the payload at `packet[payload:end]` begins a key frame (P bit of the VP8 header is 0)."""
    if payload >= end:
        return False
    first = packet[payload]
    if first & 0x17 != 0x10:
        return False
    at = payload + 1
    if first & 0x80:
        if at >= end:
            return False
        extended = packet[at]
        at += 1
        if extended & 0x80:
            if at >= end:
                return False
            at += 2 if packet[at] & 0x80 else 1
        if extended & 0x40:
            at += 1
        if extended & 0x30:
            at += 1
    return at < end and packet[at] & 0x01 == 0
