"""What one subscriber has been sent of its sources, range by range, and how one range follows another.

A range is a run of one source stream's packets with the same offsets on this hop. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.rtp.splice import Numbers, following, numbers_of
from media.tracks import SourceStream

NS = 1_000_000_000
MAX_RANGES = 4
BELIEVED_NS = 250_000_000
"""Reports that put a new range further than this from its arrival are not believed."""


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


def next_numbers(past: Range | None, last_number: int, packet: bytes) -> Numbers:
    """What to add to the picture numbers of a range that begins with `packet`, after `last_number`."""
    last = None if past is None else past.stream.cache.get(last_number)
    if past is None or last is None:
        return Numbers(0, 0)
    return following(numbers_of(last), past.added, numbers_of(packet))


def ahead(old: SourceStream, last_timestamp: int, new: SourceStream, timestamp: int, elapsed_ns: int) -> int:
    """How far a new range begins after the last packet sent, in RTP time, at least 1. Layers of a picture
    have their own RTP times: the sender's reports tie them; without both, the arrivals do."""
    elapsed = elapsed_ns * new.clock_hz // NS
    if old is not new and old.report is not None and new.report is not None:
        ticks = (new.report.ntp - old.report.ntp) * new.clock_hz >> 32
        ticks += signed(timestamp - new.report.rtp_timestamp)
        told = signed(old.report.rtp_timestamp + ticks - last_timestamp)
        if abs(told - elapsed) < new.clock_hz * BELIEVED_NS // NS:
            elapsed = told
    return max(1, elapsed)


def signed(ticks: int) -> int:
    """A difference of 32-bit RTP times."""
    return ((ticks + 0x80000000) & 0xFFFFFFFF) - 0x80000000
