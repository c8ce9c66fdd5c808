"""The agreed hour of a consultation: whom it books, how it is moved and called off. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server.domain.calendar import MINUTE_MS, QUARTER_MS
from server.domain.consultation import OVER, Consultation, effective_state
from server.domain.errors import Refused
from server.domain.glossary import LANGUAGES
from server.domain.hours import Span

BOOKED, CANCELLED, NO_SHOW = "booked", "cancelled", "no_show"
ROOM: Final = "room"
INTERPRETER: Final = "interpreter"
MIN_MINUTES, MAX_MINUTES = 15, 240
OPEN_BEFORE_MS: Final = 10 * MINUTE_MS
CLOSE_AFTER_MS: Final = 60 * MINUTE_MS
"""A consultation that runs late is not locked out of its own room."""
URGENT_NOTICE_MS: Final = MINUTE_MS
URGENT_AHEAD_MS: Final = 24 * 60 * MINUTE_MS
"""An urgent hour is one of the next so many: later ones keep to everybody's hours."""
MAX_AHEAD_MS: Final = 400 * 24 * 60 * MINUTE_MS
NO_SHOW_WITHIN_MS: Final = 7 * 24 * 60 * MINUTE_MS

SIDES: Final = ("patient", "referring_site", "consulting_site", "interpreter", "coordinator")
"""On whose behalf an hour is moved or called off."""
REASONS: Final = ("illness", "clinic", "travel", "documents", "technical", "declined", "emergency", "other")

Why = tuple[str, str]
"""On whose behalf and why: one of `SIDES`, one of `REASONS`."""
Pair = tuple[str, str]
"""Two languages, in the alphabet's order."""


@dataclass(frozen=True, slots=True)
class Appointment:
    consultation_id: str
    ends_at_ms: int
    sequence: int
    state: str
    languages: Pair | None
    booked_by: str
    changed_ms: int
    side: str | None = None
    reason: str | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What somebody interprets, and the specialties they are certified for."""

    account_id: str
    pairs: frozenset[Pair]
    fields: frozenset[str]

    def fits(self, pair: Pair, specialty: str, *, any_field: bool = False) -> bool:
        return pair in self.pairs and (any_field or specialty in self.fields)


def pair_of(languages: Iterable[str]) -> Pair | None:
    """The pair to be interpreted; None where all share one language.

    Raises Refused `bad_request` for a third language, or one that is not ours.
    """
    found = sorted(set(languages))
    if not 1 <= len(found) <= 2 or any(each not in LANGUAGES for each in found):
        raise Refused("bad_request")
    return (found[0], found[1]) if len(found) == 2 else None


def span_of(starts_at_ms: int, minutes: int, now_ms: int, *, urgent: bool = False) -> Span:
    """Raises Refused `bad_request` (no whole quarters, too short, too long, too far) or `hour_past`."""
    length = minutes * MINUTE_MS
    if not MIN_MINUTES <= minutes <= MAX_MINUTES or length % QUARTER_MS or starts_at_ms % QUARTER_MS:
        raise Refused("bad_request")
    if starts_at_ms <= now_ms:
        raise Refused("hour_past")
    if starts_at_ms - now_ms > (URGENT_AHEAD_MS if urgent else MAX_AHEAD_MS):
        raise Refused("bad_request")
    return starts_at_ms, starts_at_ms + length


def quarters(span: Span) -> range:
    """Numbers of the quarters of an hour that a span fills."""
    return range(span[0] // QUARTER_MS, -(-span[1] // QUARTER_MS))


def spans_of(numbers: Iterable[int]) -> list[Span]:
    return [(number * QUARTER_MS, (number + 1) * QUARTER_MS) for number in sorted(numbers)]


def at_hour(consultation: Consultation, span: Span, opens_at_ms: int | None = None) -> Consultation:
    """The consultation with its window around this hour; `opens_at_ms`: not only shortly before it."""
    return replace(
        consultation,
        starts_at_ms=span[0],
        opens_at_ms=span[0] - OPEN_BEFORE_MS if opens_at_ms is None else opens_at_ms,
        closes_at_ms=span[1] + CLOSE_AFTER_MS,
    )


def require_movable(consultation: Consultation, appointment: Appointment, sequence: int) -> None:
    """Raises Refused `ended`, `under_way` or `hour_changed` (the page had seen an older state)."""
    if appointment.state != BOOKED or consultation.state not in ("scheduled", "live"):
        raise Refused("ended")
    if consultation.state == "live":
        raise Refused("under_way")
    if appointment.sequence != sequence:
        raise Refused("hour_changed")


def require_declinable(consultation: Consultation, now_ms: int) -> None:
    """Whether one may say of a seat that nobody will come. Raises Refused `ended`, `under_way`."""
    if effective_state(consultation, now_ms) in OVER:
        raise Refused("ended")
    if consultation.state == "live" or now_ms >= consultation.starts_at_ms:
        raise Refused("under_way")


def require_missed(consultation: Consultation, appointment: Appointment, now_ms: int) -> None:
    """Whether one may say that somebody did not come. Raises Refused `ended`, `under_way`, `not_begun`."""
    if appointment.state != BOOKED or consultation.state not in ("scheduled", "live"):
        raise Refused("ended")
    if consultation.state == "live":
        raise Refused("under_way")
    if now_ms < consultation.starts_at_ms:
        raise Refused("not_begun")
    if now_ms - consultation.starts_at_ms > NO_SHOW_WITHIN_MS:
        raise Refused("ended")


def checked(word: str, allowed: Sequence[str]) -> str:
    """Raises Refused `bad_request`."""
    if word not in allowed:
        raise Refused("bad_request")
    return word


def why_urgent(urgent: bool, why: Why | None) -> tuple[str | None, str | None]:
    """(side, reason) of a booking: an urgent one has them. Raises Refused `reason_missing`, `bad_request`."""
    if not urgent:
        return None, None
    if why is None:
        raise Refused("reason_missing")
    return checked(why[0], SIDES), checked(why[1], REASONS)
