"""A mail with its words, and how an instant is written in one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`calendar`: an ICS of this method, where it has one."""

    id: str
    attempts: int
    to: str = field(repr=False)
    language: str
    subject: str
    body: str = field(repr=False)
    method: str | None = None
    calendar: str | None = field(default=None, repr=False)


def when(at_ms: int, zone: str, language: str) -> str:
    """Weekday, date and time on the wall of a zone, with its name and offset."""
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))
    offset = local.strftime("%z")
    day = format_date(local.date(), "full", locale=language)
    return f"{day}, {local:%H:%M} ({zone}, UTC{offset[:3]}:{offset[3:]})"
