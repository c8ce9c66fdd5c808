"""An hour as RFC 5545 tells it to calendars, and RFC 5546 invites to it. Pure.

Times are UTC and there is no VTIMEZONE: what is agreed is an instant, every calendar shows it on its own
wall, and no rule of a zone travels that a country changes next month. It must not hold anything clinical.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

PRODUCT: Final = "-//Hyeopjin//Scheduling//EN"
MAX_OCTETS: Final = 75  # RFC 5545, 3.1

Method = Literal["REQUEST", "CANCEL", "PUBLISH"]


@dataclass(frozen=True, slots=True)
class Event:
    """`sequence` grows with every change; `organizer`, `attendee`: addresses, None in a feed."""

    uid: str
    sequence: int
    starts_at_ms: int
    ends_at_ms: int
    stamp_ms: int
    summary: str
    description: str
    url: str
    cancelled: bool = False
    organizer: str | None = None
    attendee: str | None = None


def calendar(method: Method, events: Iterable[Event]) -> str:
    """A whole VCALENDAR with CRLF and folded lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", f"METHOD:{method}"]
    for event in events:
        lines += _event(event)
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(event: Event) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{_text(event.uid)}",
        f"SEQUENCE:{event.sequence}",
        f"DTSTAMP:{_utc(event.stamp_ms)}",
        f"DTSTART:{_utc(event.starts_at_ms)}",
        f"DTEND:{_utc(event.ends_at_ms)}",
        f"SUMMARY:{_text(event.summary)}",
        f"DESCRIPTION:{_text(event.description)}",
        f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}",
        "CLASS:PRIVATE",
        "TRANSP:OPAQUE",
    ]
    if event.url:
        lines += [f"LOCATION:{_text(event.url)}", f"URL:{event.url}"]
    if event.organizer:
        lines.append(f"ORGANIZER:mailto:{event.organizer}")
    if event.attendee:
        lines.append(
            f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:mailto:{event.attendee}"
        )
    return [*lines, "END:VEVENT"]


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """RFC 5545, 3.3.11; no other control character gets in."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    escaped = escaped.replace("\r\n", "\n").replace("\n", "\\n")
    return "".join(each for each in escaped if each >= " " and each != "\x7f")


def _folded(line: str) -> str:
    """No line longer than 75 octets, none cut inside a character."""
    parts, size, part = [], 0, ""
    for each in line:
        octets = len(each.encode())
        if size + octets > MAX_OCTETS:
            parts.append(part)
            part, size = " ", 1
        part += each
        size += octets
    return "\r\n".join([*parts, part])
