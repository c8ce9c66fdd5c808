"""Flags on what interpreters rendered: what may be said of one, and what may be heard around it."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.errors import Refused

AROUND_MS = 15_000
"""An interpreter hears so much before and after a flagged rendering of their own, and no more."""
MAX_CHARS = 500
MOST_FLAGS = 200
"""On one recording."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One rendering of seat `seat_id`, `from_ms` to `to_ms` since the recording's start, in doubt."""

    id: str
    recording_id: str
    seat_id: str
    from_ms: int
    to_ms: int
    source: str
    target: str
    comment: str = field(repr=False)
    made_by: str
    made_ms: int
    answer: str | None = field(default=None, repr=False)
    answered_by: str | None = None
    answered_ms: int | None = None

    @property
    def window(self) -> tuple[int, int]:
        """What may be heard of it, ms since the recording's start."""
        return max(0, self.from_ms - AROUND_MS), self.to_ms + AROUND_MS


def asked_window(flag: Flag, from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
    """What is to be heard: all of the window, or the part asked for. Raises Refused `outside_flag`."""
    begin, end = flag.window
    start = begin if from_ms is None else from_ms
    stop = end if to_ms is None else to_ms
    if not begin <= start < stop <= end:
        raise Refused("outside_flag")
    return start, stop


def worded(text: str) -> str:
    """A comment or answer, cleaned, as it is kept. Raises Refused `flag_empty`."""
    kept = text[:MAX_CHARS]
    if not kept:
        raise Refused("flag_empty")
    return kept
