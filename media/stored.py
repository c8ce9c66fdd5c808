"""What the recorder says of its store: per seat, per room, and what was lost. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SeatStored:
    """One seat's truth: everything up to `until_ms` (Unix ms, None before the first sync) is on disk."""

    until_ms: int | None
    waiting_ms: int
    error: str | None


@dataclass(frozen=True, slots=True)
class StoredReport:
    """What the room's light may say. `until_ms`: everything of everybody recorded, up to there."""

    until_ms: int | None
    seats: dict[str, SeatStored]
    degraded: list[tuple[str, str, str]]
    room: str | None = None
    """What is wrong with the room's own file: pauses, gaps and witnesses are not being kept."""


@dataclass(slots=True)
class Lost:
    """What the queue did not take, until it is written down as a gap."""

    from_ns: int
    to_ns: int
    packets: int
    cause: str
