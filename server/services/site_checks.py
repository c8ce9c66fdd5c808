"""Which sites are ready for their next hours: the board, and what lists and mails say of a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from server.domain.consultation import Consultation, Seat, effective_state
from server.domain.people import Account, Site
from server.domain.permissions import Action, Relation, allowed
from server.domain.self_test import UPCOMING_MS, Standing, standing, wants_test
from server.services.context import Context
from server.storage import accounts, consultations, self_tests
from server.storage.database import Transaction
from server.storage.self_tests import SelfTest


class SiteChecks:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def board(self) -> dict[str, Any]:
        """`{now_ms, sites}`: those with an hour in the next two days first, by its start; then the red."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            sites = await accounts.all_sites(tx)
            newest = await self_tests.newest(tx, sites)
            names = await accounts.names(tx, {test.account_id for test in newest.values()})
            near = await consultations.around(tx, now_ms, now_ms + UPCOMING_MS)
            ahead = {one.id: one.starts_at_ms for one in near if is_ahead(one, now_ms)}
            seats = await consultations.seats_of(tx, set(ahead))
        hours: dict[str, set[str]] = {}
        for seat in seats:
            hours.setdefault(seat.site_id, set()).add(seat.consultation_id)
        rows = []
        for site in sites.values():
            test = newest.get(site.id)
            rows.append(
                {
                    "site": {"id": site.id, "name": site.name, "time_zone": site.time_zone},
                    "upcoming": sorted(ahead[one] for one in hours.get(site.id, ())),
                    **told(test, now_ms),
                    "device": test.device if test else None,
                    "who": names.get(test.account_id, "") if test else None,
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
    """What a list says of each of these sites: `{verdict, why, tested_ms}`."""
    wanted = set(site_ids)
    newest = await self_tests.newest(tx, wanted)
    return {site_id: told(newest.get(site_id), now_ms) for site_id in wanted}


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
    """Whether a site is to be asked for one: it has no green one of the last days."""
    return wants_test(_newest((await self_tests.newest(tx, {site_id})).get(site_id)), now_ms)


def told(test: SelfTest | None, now_ms: int) -> dict[str, Any]:
    found: Standing = standing(_newest(test), now_ms)
    return {
        "verdict": found.verdict,
        "why": found.why,
        "tested_ms": test.begun_ms if test else None,
        "wants_test": wants_test(_newest(test), now_ms),
    }


def _newest(test: SelfTest | None) -> tuple[int, str | None] | None:
    return None if test is None else (test.begun_ms, test.verdict)
