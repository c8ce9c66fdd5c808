"""One instant as the clocks of several places show it: with zone, weekday and offset. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True)
class Shown:
    """What a clock in this zone shows. `local`: ISO 8601 with its offset; `weekday`: Monday is 0."""

    time_zone: str
    local: str
    weekday: int

    def as_json(self) -> dict[str, str | int]:
        return {"time_zone": self.time_zone, "local": self.local, "weekday": self.weekday}


def zone_of(name: str) -> ZoneInfo:
    """Raises ValueError for what is no IANA zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone") from None


def shown(at_ms: int, zone: str) -> Shown:
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone_of(zone))
    return Shown(zone, local.isoformat(timespec="minutes"), local.weekday())


def on_clocks(at_ms: int, zones: Iterable[str]) -> list[Shown]:
    """Each zone once, in the order given."""
    return [shown(at_ms, zone) for zone in dict.fromkeys(zones)]
