"""When somebody speaks, by how loud each packet says it is (RFC 6464); nothing is decoded.

Knows a track's packets and their times only. What is talk and what a cough is decided by whoever reads it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from .clock import MS
from .finalise_write import Timed
from .rtp.levels import SILENT, level_of

ABOVE_QUIET = 10
"""So much louder than the quiet of its own room a sound must be."""
LOUDEST_BOUND, QUIETEST_BOUND = 35, 55
"""What is louder is always sound, what is quieter never, whatever the room is like."""
JOIN_MS = 200
"""Shorter silences, as between syllables, are not told apart."""
PACKET_MS = 20


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
