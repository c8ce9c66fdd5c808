"""What is lost behind the last that is stored: the worker died, and nobody returned to begin another epoch.

How long that was nobody knows for certain. It ends with the last witness of somebody's presence, and not
before a crash's whole budget is over: a gap may be named too long, never too short. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.clock import MS

from .index import EpochSpan, Survey

CRASH_NS = 3_000 * MS
"""A crash takes no more than this of what was sent."""
LATE_NS = 2_000 * MS
"""The books may hear that somebody left a little after the journal's end."""

BACK = frozenset({"connected", "joined"})
GONE = frozenset({"left", "lost", "disconnected", "failed", "closed"})
"""Who has stepped out is still there: `dismissed`, cause `aside`, and `admitted` when they come back."""


@dataclass(frozen=True, slots=True)
class Tail:
    """[from_ns, to_ns] of which nothing is stored. `inside`: whose tracks it cuts off."""

    from_ns: int
    to_ns: int
    inside: frozenset[str]


def tail(survey: Survey) -> Tail | None:
    """What is missing at the end, None if nothing is known to be."""
    if survey.growing:
        return None
    last = max(survey.epochs, key=lambda span: span.epoch, default=None)
    traceless = [at for epoch, at in survey.begun.items() if last is None or epoch > last.epoch]
    until = max([survey.present_until, *(at + CRASH_NS for at in traceless)])
    if last is None:
        return Tail(max(0, min(traceless)), until, frozenset()) if traceless else None
    inside = inside_at_end(survey, last)
    if last.restored or (last.ended and not inside):
        begin = max(last.last_ns, min(traceless, default=0))
        return Tail(begin, until, frozenset()) if traceless and until > begin else None
    if last.ended:
        return Tail(last.last_ns, until, inside) if until > last.last_ns + LATE_NS else None
    if inside or until > last.last_ns:
        return Tail(last.last_ns, max(until, last.last_ns + CRASH_NS), inside)
    return None


def inside_at_end(survey: Survey, span: EpochSpan) -> frozenset[str]:
    """Who had not left when an epoch's journal ended, by what was told and by their packets."""
    inside: set[str] = set()
    gone: set[str] = set()
    for event in sorted((e for e in survey.events if e.epoch == span.epoch), key=lambda e: e.at):
        if event.name in BACK:
            inside.add(event.peer)
            gone.discard(event.peer)
        elif event.name in GONE:
            inside.discard(event.peer)
            gone.add(event.peer)
    if not span.ended:  # they may have come in what the room's file lost
        heard = (s for s in survey.streams if s.epoch == span.epoch and s.last_at >= span.last_ns - CRASH_NS)
        inside |= {stream.peer for stream in heard} - gone
    return frozenset(inside)


def lost_from(survey: Survey, before: EpochSpan, after: EpochSpan) -> int | None:
    """Since when, between two epochs that left something, an epoch was to record that left nothing."""
    between = [at for epoch, at in survey.begun.items() if before.epoch < epoch < after.epoch]
    if not between or min(between) >= after.first_ns:
        return None
    return max(before.last_ns, min(between))
