"""What synthetic peers send and check: stamped payloads, VP8-shaped frames, tallies.

A payload ends with a stamp: magic, source peer, kind, phase, counter, CLOCK_MONOTONIC at sending in ns, and a
CRC-32 over everything before it. It holds no codec data: nothing here can be decoded to a picture.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

AUDIO_RATE = 50  # packets per second
AUDIO_BYTES = 90
VIDEO_FPS = 26
PACKETS_PER_FRAME = 5  # 26 x 5 = 130 packets per second
VIDEO_BYTES = 1150
LOW_BYTES = 700
"""Of the low layer: one packet a frame, about the 150 kbit/s that the pages give it."""
VIDEO_CLOCK = 90_000
AUDIO_CLOCK = 48_000

AUDIO, VIDEO, LOW = 0, 1, 2
"""LOW is the camera's second layer: received and recorded, forwarded only while there is no better one."""
KINDS = ("audio", "camera")
RIDS = ("l", "h")
MAGIC = b"HJ1s"
STAMP = Struct("!4sHBBIQI")
_CRC = Struct("!I")


def stamp(filler: bytes, source: int, kind: int, phase: int, counter: int, now_ns: int) -> bytes:
    """`filler` followed by a stamp that covers it."""
    head = filler + STAMP.pack(MAGIC, source, kind, phase, counter, now_ns, 0)[:-4]
    return head + _CRC.pack(zlib.crc32(head))


class Stamp(NamedTuple):
    """A stamp as read: `sent_ns` is CLOCK_MONOTONIC of the generator's host."""

    source: int
    kind: int
    phase: int
    counter: int
    sent_ns: int


def read_stamp(payload: bytes | memoryview) -> Stamp | None:
    """The stamp at the end of a payload, or None when it is damaged or absent."""
    if len(payload) < STAMP.size:
        return None
    magic, source, kind, phase, counter, sent_ns, crc = STAMP.unpack_from(payload, len(payload) - STAMP.size)
    if magic != MAGIC or kind > LOW or crc != zlib.crc32(payload[:-4]):
        return None
    return Stamp(source, kind, phase, counter, sent_ns)


def vp8_head(first: bool, key: bool, picture: int) -> bytes:
    """Payload descriptor with a 15-bit picture id (RFC 7741); a frame's first packet has the VP8 tag too."""
    descriptor = bytes([0x90 if first else 0x80, 0x80, 0x80 | (picture >> 8) & 0x7F, picture & 0xFF])
    if not first:
        return descriptor
    if not key:
        return descriptor + b"\x31\x10\x00"
    return descriptor + b"\x30\x10\x00\x9d\x01\x2a\x80\x02\x68\x01"  # 640 x 360


@dataclass
class Tally:
    """One (receiver, source, kind): which counters came and in what order. `measured` = phase 1 only."""

    measured: int = 0
    warm: int = 0
    reordered: int = 0
    duplicates: int = 0
    last: int = -1
    seen: set[int] = field(default_factory=set)

    def take(self, counter: int, phase: int) -> bool:
        """Counts one packet; False when it was a duplicate."""
        if counter in self.seen:
            self.duplicates += 1
            return False
        self.seen.add(counter)
        if counter < self.last:
            self.reordered += 1
        else:
            self.last = counter
        if phase:
            self.measured += 1
        else:
            self.warm += 1
        return True


@dataclass
class Received:
    """What one receiver saw, over all sources."""

    tallies: dict[tuple[int, int], Tally] = field(default_factory=dict)
    latencies_ns: list[int] = field(default_factory=list)
    corrupt: int = 0
    misrouted: int = 0
    unknown_ssrc: int = 0
    low: int = 0
    """Packets of low layers: none while the line is good."""

    def take(self, payload: memoryview, expected: tuple[int, int] | None, now_ns: int) -> None:
        """Checks one payload; `expected` is the (source, kind) that the offer promised for its SSRC."""
        got = read_stamp(payload)
        if got is None:
            self.corrupt += 1
            return
        who = (got.source, VIDEO if got.kind == LOW else got.kind)
        if expected is not None and expected != who:
            self.misrouted += 1
            return
        if got.kind == LOW:
            self.low += 1
            return
        tally = self.tallies.get(who)
        if tally is None:
            tally = self.tallies[who] = Tally()
        if tally.take(got.counter, got.phase) and got.phase:
            self.latencies_ns.append(now_ns - got.sent_ns)
