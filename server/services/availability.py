"""Calendars out of the books: whose hours hold, what is a holiday there, when they are away or booked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from server.domain.calendar import Calendar, instant
from server.domain.hours import Span
from server.domain.people import Account, Site
from server.services.public_holidays import public_holidays
from server.storage import appointments, calendars
from server.storage.calendars import Absence, SiteRoom
from server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Resource:
    """Somebody or something with a calendar; without hours of their own, those of their site hold."""

    id: str
    site: Site
    name: str = field(repr=False)


def person(account: Account, sites: Mapping[str, Site]) -> Resource:
    return Resource(account.id, sites[account.site_id], account.name)


def place(room: SiteRoom, sites: Mapping[str, Site]) -> Resource:
    return Resource(room.id, sites[room.site_id], room.name)


async def calendars_of(
    tx: Transaction, resources: Iterable[Resource], span: Span, but: str | None = None
) -> dict[str, Calendar]:
    """By id. `but`: a consultation whose bookings do not count, because it is to be moved."""
    found = list(resources)
    owners = {one.id for one in found} | {one.site.id for one in found}
    hours = await calendars.hours_of(tx, owners)
    away: dict[str, list[Absence]] = {}
    for absence in await calendars.absences_of(tx, owners):
        away.setdefault(absence.owner_id, []).append(absence)
    taken = await appointments.booked(tx, {one.id for one in found}, span, but)
    made: dict[str, Calendar] = {}
    for one in found:
        own = hours.get(one.id) or hours.get(one.site.id)
        at_site = ZoneInfo(one.site.time_zone)
        zone = ZoneInfo(own.time_zone) if own is not None and own.time_zone else at_site
        absences = [_span(zone, each) for each in away.get(one.id, ())]
        absences += [_span(at_site, each) for each in away.get(one.site.id, ())]
        made[one.id] = Calendar(
            zone=zone,
            week=None if own is None else own.week,
            holidays=public_holidays(one.site.country, _years(span, zone)),
            absences=tuple(absences),
            booked=tuple(taken.get(one.id, ())),
        )
    return made


def _span(zone: ZoneInfo, absence: Absence) -> Span:
    begin, end = datetime.fromisoformat(absence.from_local), datetime.fromisoformat(absence.to_local)
    return instant(zone, begin), instant(zone, end)


def _years(span: Span, zone: ZoneInfo) -> range:
    """A day more on either side: the finder looks a little around."""
    first = datetime.fromtimestamp(span[0] / 1000, zone) - timedelta(days=2)
    last = datetime.fromtimestamp(span[1] / 1000, zone) + timedelta(days=2)
    return range(first.year, last.year + 1)
