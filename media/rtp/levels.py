"""The loudness that a packet of sound tells of itself (RFC 6464); nothing is opened. Pure.

The V bit says nothing: browsers set it for whatever is not silence.
"""

from __future__ import annotations

from media.codecs import EXT_AUDIO_LEVEL
from media.rtp.packets import find_extension

SILENT = 127
"""The level of digital silence; levels are -dBov, so that less is louder."""


def level_of(packet: bytes) -> int | None:
    """The level that a packet tells: 0 (loudest) to 127, or None. Any bytes of at least 12."""
    found = find_extension(packet, EXT_AUDIO_LEVEL)
    return found[0] & 0x7F if found else None
