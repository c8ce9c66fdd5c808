"""Hours worked at a seat, from the session's own notes of who came and went. Pure.

Never more than is known: who was lost and did not return left when they were lost; where nothing says when
somebody left (the server was killed), they left at the session's last word. Returning within the 30 s that a
seat is kept is no break.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

HERE = frozenset({"joined", "back", "replaced"})
AWAY = "away"
LEFT = frozenset({"left", "gone", "revoked", "removed"})
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a session's time line; `seat` None = of the whole session."""

    at_ms: int
    what: str
    seat: str | None


def presence(notes: Iterable[Note], seat: str, until_ms: int | None) -> list[Span]:
    """When somebody sat there, in order. `until_ms`: now, while the session runs; None: it is over."""
    spans: list[Span] = []
    since: int | None = None
    lost: int | None = None
    last = 0
    for note in notes:
        last = max(last, note.at_ms)
        if note.seat != seat:
            continue
        if note.what in HERE:
            since, lost = (note.at_ms if since is None else since), None
        elif note.what == AWAY and since is not None:
            lost = note.at_ms
        elif note.what in LEFT and since is not None:
            spans.append((since, note.at_ms if lost is None else lost))
            since = lost = None
    if since is not None:
        end = lost if lost is not None else last if until_ms is None else until_ms
        spans.append((since, max(since, end)))
    return spans


def by_day(spans: Iterable[Span], zone: ZoneInfo) -> dict[str, list[Span]]:
    """Spans by the local date (ISO 8601) on which they lie, parted at local midnight."""
    days: dict[str, list[Span]] = {}
    for begin, end in spans:
        at = begin
        while at < end:
            local = datetime.fromtimestamp(at / 1000, zone)
            tomorrow = local.date() + timedelta(days=1)
            # A day has 23, 24 or 25 hours: its end is an instant of its own, never 24 hours later.
            midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)
            stop = min(end, round(midnight.timestamp() * 1000))
            days.setdefault(local.date().isoformat(), []).append((at, stop))
            at = stop
    return days


def minutes(spans: Iterable[Span]) -> float:
    """Their sum, to a tenth of a minute."""
    return round(sum(end - begin for begin, end in spans) / 60_000, 1)


def local(at_ms: int, zone: ZoneInfo) -> str:
    """An instant with its offset: two o'clock comes twice in autumn."""
    return datetime.fromtimestamp(at_ms / 1000, zone).isoformat(timespec="seconds")
