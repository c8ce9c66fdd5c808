"""A consultation, its window and its seats. Windows are computed from instants, never from local times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from server.domain.errors import Refused

ConsultationState = Literal["scheduled", "live", "ended", "cancelled"]

OVER = frozenset({"ended", "cancelled"})

RECENT_SEAT_MS = 30 * 24 * 3_600_000
"""So long after a consultation in which they sat its interpreter looks after the terms: a patient's first
follow-up month. Whoever interprets later is booked again."""

# What a seat link can be.
UNUSED, TAKEN, DEAD = "unused", "taken", "dead"


@dataclass(frozen=True, slots=True)
class Consultation:
    id: str
    case_id: str
    state: str
    starts_at_ms: int
    opens_at_ms: int
    closes_at_ms: int
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    id: str
    consultation_id: str
    role: str
    name: str = field(repr=False)
    language: str
    site_id: str
    account_id: str | None
    link_state: str  # unused | taken | dead


def effective_state(consultation: Consultation, now_ms: int) -> str:
    """The state people are told: one whose window closed without anybody in it is over."""
    if consultation.state == "scheduled" and now_ms >= consultation.closes_at_ms:
        return "ended"
    return consultation.state


def is_joinable(consultation: Consultation, now_ms: int) -> bool:
    """Open window, or a session that is still going on: nobody is cut off, or out, by the clock alone."""
    if consultation.state in OVER:
        return False
    if consultation.state == "live":
        return True
    return consultation.opens_at_ms <= now_ms < consultation.closes_at_ms


def is_recent(consultation: Consultation, sat: bool, now_ms: int) -> bool:
    """Whether a seat in it still counts: it is to come or runs, or somebody `sat` there lately."""
    if effective_state(consultation, now_ms) not in OVER:
        return True
    ended_ms = consultation.closes_at_ms if consultation.ended_ms is None else consultation.ended_ms
    return sat and now_ms < ended_ms + RECENT_SEAT_MS


def require_joinable(consultation: Consultation, now_ms: int) -> None:
    """Raises Refused `ended` or `not_open` (with `opens_at_ms`)."""
    if effective_state(consultation, now_ms) in OVER:
        raise Refused("ended")
    if not is_joinable(consultation, now_ms):
        raise Refused("not_open", opens_at_ms=consultation.opens_at_ms)


def require_link_alive(consultation: Consultation, seat: Seat, now_ms: int) -> None:
    """A seat link dies with its consultation. Raises Refused `link_dead`."""
    if seat.link_state == DEAD or effective_state(consultation, now_ms) in OVER:
        raise Refused("link_dead")


def waits_first(seat: Seat) -> bool:
    """Professionals first: whoever takes a patient's seat waits until a physician lets them in."""
    return seat.role == "patient"


_CHAIR_ORDER = ("consulting_physician", "referring_physician")


def chair_ranks(seats: Sequence[Seat]) -> dict[str, int | None]:
    """Rank by seat id: consulting physicians first, then referring ones; nobody else ever chairs."""
    candidates = [seat for role in _CHAIR_ORDER for seat in seats if seat.role == role]
    ranks: dict[str, int | None] = {seat.id: None for seat in seats}
    ranks.update({seat.id: rank for rank, seat in enumerate(candidates)})
    return ranks


def state_after_session(consultation: Consultation, reason: str, now_ms: int) -> str:
    """Where a consultation stands once its session is over.

    Ended by the chair or cancelled: over. Run dry: open again while its window is.
    """
    if consultation.state in OVER:
        return consultation.state
    if reason == "cancelled":
        return "cancelled"
    if reason == "ended" or now_ms >= consultation.closes_at_ms:
        return "ended"
    return "scheduled"
