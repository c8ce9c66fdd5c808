"""When somebody speaks, by how loud each packet says it is (RFC 6464); nothing is decoded.

Knows a track's packets and their times only. What is talk and what a cough is decided by whoever reads it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from .clock import MS
from .codecs import EXT_AUDIO_LEVEL
from .finalise_write import Timed

SILENT = 127
"""The level of digital silence; levels are -dBov, so that less is louder."""
ABOVE_QUIET = 10
"""So much louder than the quiet of its own room a sound must be."""
LOUDEST_BOUND, QUIETEST_BOUND = 35, 55
"""What is louder is always sound, what is quieter never, whatever the room is like."""
JOIN_MS = 200
"""Shorter silences, as between syllables, are not told apart."""
PACKET_MS = 20
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


class Speech:
    """Listens to one track's packets as they go by."""

    def __init__(self) -> None:
        self._at_ms, self._levels = array("q"), array("B")

    def tap(self, packets: Iterator[Timed]) -> Iterator[Timed]:
        """The same packets."""
        for item in packets:
            level = level_of(item.packet)
            if level is not None:
                self.note(item.at_ns // MS, level)
            yield item

    def note(self, at_ms: int, level: int) -> None:
        """One level, from whatever it was measured."""
        self._at_ms.append(at_ms)
        self._levels.append(level)

    def spans(self) -> list[list[int]] | None:
        """[from, to] of every stretch of sound, session ms; None where no packet told its level."""
        if not self._levels:
            return None
        bound = self._bound()
        found: list[list[int]] = []
        for at, level in zip(self._at_ms, self._levels, strict=True):
            if level > bound:
                continue
            if found and at - found[-1][1] <= JOIN_MS:
                found[-1][1] = max(found[-1][1], at + PACKET_MS)
            else:
                found.append([at, at + PACKET_MS])
        return found

    def _bound(self) -> int:
        """Levels up to this one are sound: above the quietest tenth of what is not digital silence."""
        counts = [0] * (SILENT + 1)
        for level in self._levels:
            counts[level] += 1
        heard, quiet = sum(counts[:SILENT]), SILENT
        left = heard // 10
        for level in range(SILENT - 1, -1, -1):
            if counts[level] and left <= 0:
                quiet = level
                break
            left -= counts[level]
        return min(QUIETEST_BOUND, max(LOUDEST_BOUND, quiet - ABOVE_QUIET))
