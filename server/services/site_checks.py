"""Which sites are ready for their next hours: the board, and what lists and mails say of a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from server.domain.consultation import Consultation, Seat, effective_state
from server.domain.people import Account, Site
from server.domain.permissions import Action, Relation, allowed
from server.domain.self_test import UPCOMING_MS
from server.domain.site_ready import USUAL_MS, Checked, Place, Readiness, readiness
from server.services.context import Context
from server.storage import accounts, calendars, consultations, self_tests
from server.storage.database import Transaction


class SiteChecks:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def board(self) -> dict[str, Any]:
        """`{now_ms, sites}`: those with an hour in the next two days first, by its start; then the red."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            sites = await accounts.all_sites(tx)
            ready = await _ready(tx, sites, now_ms)
            shown = [one for found in ready.values() for one in _shown(found)]
            names = await accounts.names(tx, {one.account_id for one in shown})
            near = await consultations.around(tx, now_ms, now_ms + UPCOMING_MS)
            ahead = {one.id: one.starts_at_ms for one in near if is_ahead(one, now_ms)}
            seats = await consultations.seats_of(tx, set(ahead))
        hours: dict[str, set[str]] = {}
        for seat in seats:
            hours.setdefault(seat.site_id, set()).add(seat.consultation_id)
        rows = []
        for site in sites.values():
            found = ready[site.id]
            by = found.by
            rows.append(
                {
                    "site": {"id": site.id, "name": site.name, "time_zone": site.time_zone},
                    "upcoming": sorted(ahead[one] for one in hours.get(site.id, ())),
                    **told(found),
                    "device": by.device if by else None,
                    "who": names.get(by.account_id, "") if by else None,
                    "others": [_place(one, names) for one in found.others],
                }
            )
        return {"now_ms": now_ms, "sites": sorted(rows, key=_order)}


def is_ahead(consultation: Consultation, now_ms: int) -> bool:
    """Whether its sites must be ready for it."""
    return effective_state(consultation, now_ms) in ("scheduled", "live")


def _order(row: dict[str, Any]) -> tuple[float, int, str]:
    first = min(row["upcoming"], default=float("inf"))
    return first, -("green", "amber", "red").index(row["verdict"]), row["site"]["name"]


async def standings(tx: Transaction, site_ids: Iterable[str], now_ms: int) -> dict[str, dict[str, Any]]:
    """What a list says of each of these sites: `{verdict, why, tested_ms, wants_test}`."""
    return {site_id: told(found) for site_id, found in (await _ready(tx, site_ids, now_ms)).items()}


async def _ready(tx: Transaction, site_ids: Iterable[str], now_ms: int) -> dict[str, Readiness]:
    wanted = set(site_ids)
    tests = await self_tests.since(tx, wanted, now_ms - USUAL_MS)
    rooms: dict[str, list[str]] = {}
    for room in await calendars.rooms_of(tx, wanted):
        if not room.closed:
            rooms.setdefault(room.site_id, []).append(room.name)
    return {site_id: readiness(tests[site_id], rooms.get(site_id, ()), now_ms) for site_id in wanted}


def ready_for(
    account: Account, seats: Iterable[Seat], sites: Mapping[str, Site], checks: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """What this account may read of the sites with a seat in an hour to come: `{site, own, …}`."""
    rows = []
    for site_id in dict.fromkeys(seat.site_id for seat in seats):
        own = site_id == account.site_id
        if allowed(Action.SELF_TEST_READ, account.roles, {Relation.AT_OWN_SITE} if own else ()):
            rows.append({"site": sites[site_id].name, "own": own, **checks[site_id]})
    return rows


async def should_test(tx: Transaction, site_id: str, now_ms: int) -> bool:
    """Whether a site is to be asked for one: none of its usual rooms has a green one of the last days."""
    return (await _ready(tx, {site_id}, now_ms))[site_id].wants_test


def told(found: Readiness) -> dict[str, Any]:
    return {
        "verdict": found.standing.verdict,
        "why": found.standing.why,
        "tested_ms": found.by.at_ms if found.by else None,
        "wants_test": found.wants_test,
    }


def _shown(found: Readiness) -> list[Checked]:
    return [*([found.by] if found.by else []), *(one.last for one in found.others)]


def _place(place: Place, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "device": place.last.device,
        "who": names.get(place.last.account_id, ""),
        "tested_ms": place.last.at_ms,
        "verdict": place.standing.verdict,
        "why": place.standing.why,
    }
