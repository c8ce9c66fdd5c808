"""What holds between pairs of sites: looked at, and changed without touching code."""

from __future__ import annotations

from typing import Any

from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.permissions import Role
from server.domain.site_policy import Pair, Policy, checked, default
from server.services.consent import Consents
from server.services.context import Context
from server.storage import accounts, audit, cases, site_policies
from server.storage.database import Transaction


class Policies:
    def __init__(self, context: Context, deciding: Consents) -> None:
        self._context = context
        self._deciding = deciding

    async def overview(self, account: Account) -> dict[str, Any]:
        """Every pair that somebody decided about or that a case joins, with its earlier decisions."""
        async with self._context.database.read() as tx:
            sites = await accounts.all_sites(tx)
            history = await site_policies.history(tx)
            pairs = {policy.pair for policy in history} | await _joined(tx)
            names = await accounts.names(tx, {policy.changed_by for policy in history})
            running = await site_policies.running(tx)
        known: dict[Pair, list[Policy]] = {}
        for policy in history:
            known.setdefault(policy.pair, []).append(policy)
        return {
            "sites": [{"id": site.id, "name": site.name, "country": site.country} for site in sites.values()],
            "pairs": [
                {
                    "referring": pair[0],
                    "consulting": pair[1],
                    "may_change": _may_change(account, pair),
                    "running": running.get(pair, 0),
                    "decisions": [_told(one, names) for one in reversed(known.get(pair) or [default(pair)])],
                }
                for pair in sorted(pairs)
            ],
            "own_site": account.site_id,
            "every_pair": Role.PRIVACY_OFFICER in account.roles,
        }

    async def decide(
        self, pair: Pair, version: int, seat_rule: str, legal_basis: str, account: Account, address: str
    ) -> None:
        """`version`: of what was looked at. A session that runs keeps what it began under; who waits is told.

        Raises Refused `forbidden` (an administrator: pairs of their own site only), `policy_changed`,
        `not_found`, `bad_request`.
        """
        checked(seat_rule, legal_basis)
        if not _may_change(account, pair):
            raise Refused("forbidden")
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            if not set(pair) <= set(await accounts.all_sites(tx)) or pair[0] == pair[1]:
                raise Refused("not_found")
            held = (await site_policies.newest(tx, [pair]))[0]
            if held.version != version:
                raise Refused("policy_changed")
            made = Policy(pair, version + 1, seat_rule, legal_basis, account.id, now_ms)
            await site_policies.add(tx, made)
            entry = audit.Entry(
                "policy_changed", "site", pair[0], address, account_id=account.id,
                detail={
                    "with": pair[1], "version": made.version, "seat_rule": seat_rule,
                    "before": held.seat_rule, "legal_basis": legal_basis,
                },
            )  # fmt: skip
            await audit.append(tx, now_ms, entry)
        await self._deciding.policy_changed(pair)


def _may_change(account: Account, pair: Pair) -> bool:
    return Role.PRIVACY_OFFICER in account.roles or account.site_id in pair


async def _joined(tx: Transaction) -> set[Pair]:
    """Pairs of a case's site and the site of somebody who is invited to it."""
    return {pair for pair in await cases.pairs_of_sites(tx) if pair[0] != pair[1]}


def _told(policy: Policy, names: dict[str, str]) -> dict[str, Any]:
    return {
        "version": policy.version,
        "seat_rule": policy.seat_rule,
        "legal_basis": policy.legal_basis,
        "changed_by": names.get(policy.changed_by, ""),
        "changed_ms": policy.changed_ms or None,
    }
