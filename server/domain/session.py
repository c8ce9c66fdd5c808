"""A session: the stretch of a consultation that one recording covers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pause:
    """The recording is paused: by which seat, why, since when."""

    seat_id: str
    reason: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    consultation_id: str
    epoch: int
    started_ms: int
    emptied_ms: int | None
    ended_ms: int | None
    pause: Pause | None = None


def continues(session: Session, now_ms: int, grace_ms: int) -> bool:
    """Whether a join at `now_ms` continues this session: not ended, not empty for longer than the grace."""
    if session.ended_ms is not None:
        return False
    return session.emptied_ms is None or now_ms - session.emptied_ms < grace_ms
