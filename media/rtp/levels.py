"""The loudness that a packet of sound tells of itself (RFC 6464); nothing is opened. Pure.

The V bit says nothing: browsers set it for whatever is not silence.
"""

from __future__ import annotations

from media.codecs import EXT_AUDIO_LEVEL

SILENT = 127
"""The level of digital silence; levels are -dBov, so that less is louder."""
_ONE_BYTE, _EXTENDED = 0xBEDE, 0x10


def level_of(packet: bytes) -> int | None:
    """The level that a packet tells: 0 (loudest) to 127, or None. Any bytes of at least 12."""
    if not packet[0] & _EXTENDED:
        return None
    at = 12 + 4 * (packet[0] & 0x0F)
    if at + 4 > len(packet) or (packet[at] << 8 | packet[at + 1]) != _ONE_BYTE:
        return None
    end = min(len(packet), at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3]))
    at += 4
    while at < end:
        head = packet[at]
        if head == 0:
            at += 1
            continue
        if head >> 4 == EXT_AUDIO_LEVEL and at + 1 < end:
            return packet[at + 1] & 0x7F
        at += 2 + (head & 0x0F)
    return None
