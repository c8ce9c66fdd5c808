"""“Find an hour”: proposals for a case on every place's clock, and who is in the way when there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from server.domain.appointment import (
    MAX_AHEAD_MS,
    MAX_MINUTES,
    MIN_MINUTES,
    ROOM,
    URGENT_AHEAD_MS,
    URGENT_NOTICE_MS,
)
from server.domain.calendar import MINUTE_MS, QUARTER_MS, Calendar, any_hour, instant, why_not
from server.domain.errors import Refused
from server.domain.hours import Span
from server.domain.overlap import Candidate, Found, Need, Obstacle, Slot, find
from server.services.availability import Resource, calendars_of
from server.services.context import Context
from server.services.public_holidays import is_known
from server.services.team import Team, Wish, team_of
from server.services.two_clocks import clocks
from server.storage import declined
from server.storage.database import Transaction

MAX_DAYS = 31


@dataclass(frozen=True, slots=True)
class Search:
    """Local days of the referring site, from `first` on; an urgent wish looks at the next 24 hours instead.
    `moving`: the consultation that is to be moved."""

    first: date
    days: int
    minutes: int
    wish: Wish = field(default_factory=Wish)
    moving: str | None = None


class Finding:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def slots(self, case_id: str, search: Search) -> dict[str, Any]:
        """`{slots, obstacles, who, places, languages}`: the best first; either slots or obstacles.

        Raises Refused `not_found`, `nobody_invited`, `interpreter_unfit`, `hour_past`, `bad_request`.
        """
        now_ms = self._context.now_ms()
        if not 1 <= search.days <= MAX_DAYS or not MIN_MINUTES <= search.minutes <= MAX_MINUTES:
            raise Refused("bad_request")
        async with self._context.database.read() as tx:
            team = await team_of(tx, case_id, search.wish, now_ms)
            team = await _without_declined(tx, team, search.moving)
            begin, end = _around(team, search, now_ms)
            usual = await calendars_of(tx, team.resources.values(), (begin, end), search.moving)
        needs = _needs(team, usual, (begin, begin + search.minutes * MINUTE_MS), urgent=search.wish.urgent)
        # Milliseconds of arithmetic for a week, more for a month of many people: not in everybody's loop.
        found = await asyncio.to_thread(find, needs, (begin, end), search.minutes * MINUTE_MS)
        return _told(team, found, usual)


def _needs(team: Team, usual: Mapping[str, Calendar], at_once: Span, *, urgent: bool) -> list[Need]:
    """As they come; for an urgent hour whatever their hours, who works now before who is called from bed."""
    known = {id_: any_hour(one) for id_, one in usual.items()} if urgent else usual

    def is_off(one: Resource) -> bool:
        return urgent and why_not(usual[one.id], at_once) is not None

    return [
        Need(
            kind,
            tuple(Candidate(one.id, known[one.id]) for one in sorted(candidates, key=is_off)),
            comfort=kind != ROOM,
        )
        for kind, candidates in team.needs
    ]


async def _without_declined(tx: Transaction, team: Team, moving: str | None) -> Team:
    """Interpreters who said that they cannot come to the hour that is moved are not proposed for it again."""
    gone = {one.account_id for _, one in await declined.of_hours(tx, [moving])} if moving else set()
    return replace(team, interpreters=tuple(one for one in team.interpreters if one.id not in gone))


def _around(team: Team, search: Search, now_ms: int) -> Span:
    if search.wish.urgent:
        return now_ms + URGENT_NOTICE_MS, now_ms + URGENT_AHEAD_MS
    begin, end = _instants(ZoneInfo(team.sites[team.case.site_id].time_zone), search)
    begin = max(begin, now_ms + QUARTER_MS)
    if end <= begin:
        raise Refused("hour_past")
    if end - now_ms > MAX_AHEAD_MS:
        raise Refused("bad_request")
    return begin, end


def _instants(zone: ZoneInfo, search: Search) -> tuple[int, int]:
    try:
        midnight = datetime(search.first.year, search.first.month, search.first.day)  # noqa: DTZ001
        return instant(zone, midnight), instant(zone, midnight + timedelta(days=search.days))
    except (OverflowError, ValueError):  # at the calendar's ends
        raise Refused("bad_request") from None


def _told(team: Team, found: Found, usual: Mapping[str, Calendar]) -> dict[str, Any]:
    kinds = [kind for kind, _ in team.needs]
    return {
        "slots": [_slot(team, kinds, slot, usual) for slot in found.slots],
        "obstacles": [_obstacle(one) for one in found.obstacles],
        "who": {
            one.id: {"name": one.name, "kind": kind, "site": one.site.name, "time_zone": one.site.time_zone}
            for kind, candidates in team.needs
            for one in candidates
        },
        "places": [
            {"site": site.name, "time_zone": site.time_zone, "holidays_known": is_known(site.country)}
            for site in team.places
        ],
        "languages": None if team.languages is None else list(team.languages),
    }


def _slot(team: Team, kinds: list[str], slot: Slot, usual: Mapping[str, Calendar]) -> dict[str, Any]:
    """`outside`: those who do not work then; empty but for an urgent one."""
    chosen = list(zip(kinds, slot.chosen, strict=True))
    span = (slot.starts_ms, slot.ends_ms)
    return {
        "starts_at_ms": slot.starts_ms,
        "ends_at_ms": slot.ends_ms,
        "begins": clocks(slot.starts_ms, team.places),
        "ends": clocks(slot.ends_ms, team.places),
        "interpreter": next((id_ for kind, id_ in chosen if kind == "interpreter"), None),
        "rooms": [id_ for kind, id_ in chosen if kind == ROOM],
        "edges": list(slot.edges),
        "outside": [id_ for id_ in slot.chosen if why_not(usual[id_], span) is not None],
    }


def _obstacle(one: Obstacle) -> dict[str, Any]:
    causes = {id_: {str(cause): n for cause, n in found.items()} for id_, found in one.causes.items()}
    return {"how": one.how, "kinds": list(one.kinds), "who": list(one.who), "causes": causes}
