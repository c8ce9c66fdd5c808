"""Which numbers of which source stream one subscriber got with which offsets: the memory of its splices."""

from __future__ import annotations

from dataclasses import dataclass

from media.rtp.splice import Numbers
from media.tracks import SourceStream

MAX_RANGES = 4


@dataclass(slots=True)
class Range:
    """Source numbers first..last of one stream, and what is added to them on this hop."""

    stream: SourceStream
    first: int
    last: int
    number_offset: int
    timestamp_offset: int
    added: Numbers
    """To the picture numbers of its packets."""
