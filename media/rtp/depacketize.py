"""From RTP payloads to frames: VP8 (RFC 7741) put together, Opus (RFC 7587) passed through.

Works on bytes only; must not decode pictures or sound. Garbage yields None or nothing, never an exception.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .keyframes import vp8_descriptor, vp8_key_frame

OPUS_SILENCE = b"\xf8\xff\xfe"
"""20 ms of digital silence: TOC 31 (CELT, full band, 20 ms, mono) and an empty frame."""


def payload_bounds(packet: bytes) -> tuple[int, int] | None:
    """Start and end of an RTP packet's payload (RFC 3550 5.1), padding taken off; None if it does not
    hold.
    """
    n = len(packet)
    if n < 12 or packet[0] >> 6 != 2:
        return None
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if start + 4 > n:
            return None
        start += 4 + 4 * ((packet[start + 2] << 8) | packet[start + 3])
    if start > n:
        return None
    end = n
    if packet[0] & 0x20:
        if packet[-1] == 0 or start + packet[-1] > n:
            return None
        end -= packet[-1]
    return start, end


def vp8_keyframe(packet: bytes) -> bool:
    """Whether this RTP packet carries the first bytes of a VP8 key frame."""
    bounds = payload_bounds(packet)
    return bounds is not None and vp8_key_frame(packet, *bounds)


def vp8_size(frame: bytes) -> tuple[int, int] | None:
    """Width and height from a key frame's first ten bytes (RFC 6386 9.1), None for anything else."""
    if len(frame) < 10 or frame[0] & 1 or frame[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = struct.unpack_from("<HH", frame, 6)
    return width & 0x3FFF, height & 0x3FFF


_OPUS_MS = {0: (10, 20, 40, 60), 1: (10, 20), 2: (2.5, 5, 10, 20)}


def opus_duration_ms(payload: bytes) -> float:
    """Length of an Opus packet by its TOC byte (RFC 6716 3.1); 0.0 if it holds no frame or over 120 ms."""
    if not payload:
        return 0.0
    config = payload[0] >> 3
    if config < 12:
        one = float(_OPUS_MS[0][config & 3])
    elif config < 16:
        one = float(_OPUS_MS[1][config & 1])
    else:
        one = float(_OPUS_MS[2][config & 3])
    code = payload[0] & 3
    count = 1 if code == 0 else 2
    if code == 3:
        count = payload[1] & 0x3F if len(payload) > 1 else 0
    total = one * count
    return total if total <= 120 else 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole VP8 frame. `rtp` is its unwrapped timestamp; `size` only for key frames."""

    rtp: int
    arrived_ns: int
    data: bytes
    key: bool
    size: tuple[int, int] | None
    lost_before: bool


class Vp8Assembler:
    """Frames out of packets that come in order of their unwrapped sequence numbers, each once.

    An incomplete frame is dropped, and everything after it up to the next key frame, as a decoder would show
    broken pictures. `dropped` counts the frames lost that way.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._rtp = 0
        self._arrived = 0
        self._next = -1
        self._waiting = True
        self._lost = False
        self.dropped = 0

    def feed(self, seq: int, rtp: int, arrived_ns: int, packet: bytes) -> Frame | None:
        """A frame when this packet completes one. `seq`, `rtp` unwrapped; `arrived_ns` CLOCK_BOOTTIME."""
        gap = self._next >= 0 and seq != self._next
        self._next = seq + 1
        if gap:
            self._break()
        bounds = payload_bounds(packet)
        if bounds is None:
            self._break()
            return None
        if bounds[0] == bounds[1]:
            return None  # padding probe: carries nothing, loses nothing
        found = vp8_descriptor(packet, *bounds)
        if found is None:
            self._break()
            return None
        at, begins = found
        if begins:
            if self._parts:
                self._break()
            self._parts, self._rtp, self._arrived = [packet[at : bounds[1]]], rtp, arrived_ns
        elif not self._parts or rtp != self._rtp:
            self._break()
            return None
        else:
            self._parts.append(packet[at : bounds[1]])
            self._arrived = min(self._arrived, arrived_ns)
        if not packet[1] & 0x80:
            return None
        return self._whole()

    def reset(self) -> None:
        """Forget the run of sequence numbers: another stream follows, which must begin with a key frame."""
        self._break()
        self._next = -1

    def _break(self) -> None:
        if self._parts:
            self.dropped += 1
        self._parts = []
        self._waiting = True
        self._lost = True

    def _whole(self) -> Frame | None:
        data = b"".join(self._parts)
        self._parts = []
        size = vp8_size(data)
        key = size is not None and 0 not in size
        if self._waiting and not key:
            self.dropped += 1
            return None
        lost = self._lost
        self._waiting = self._lost = False
        return Frame(self._rtp, self._arrived, data, key, size if key else None, lost)
