"""The audit as people read it: their own entries, a site's sign-ins, a privacy officer's search.

Names are put beside ids only here, for who may read them; it must not show anything clinical. A search over
others' entries is itself an entry. Who saw a patient, for the patient, is `server/storage/seen.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.trail import LOGINS
from server.services.context import Context
from server.storage import accounts, audit, audit_trail, cases, consultations, patients
from server.storage.audit_trail import Filter, Written
from server.storage.database import Transaction

LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A privacy officer's search: an account's address or id, a case's label or id."""

    account: str = ""
    case: str = ""
    action: str = ""
    from_ms: int | None = None
    to_ms: int | None = None


class Trail:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def own(self, account: Account, before: int | None) -> dict[str, Any]:
        """`{entries, next}`: what this account did, the newest first."""
        async with self._context.database.read() as tx:
            return await listed(tx, Filter(account_id=account.id), before)

    async def logins(self, account: Account, before: int | None) -> dict[str, Any]:
        """Signing in and out of the accounts of one's own site."""
        async with self._context.database.read() as tx:
            everybody = await accounts.of_site(tx, account.site_id)
            wanted = Filter(accounts=frozenset(one.id for one in everybody), actions=LOGINS)
            return await listed(tx, wanted, before)

    async def search(
        self, account: Account, asked: Asked, before: int | None, address: str
    ) -> dict[str, Any]:
        """Raises Refused `not_found`: no such account or case. The first page of a search is audited."""
        async with self._context.database.write() as tx:
            wanted = await filter_of(tx, asked)
            if before is None:
                await note(tx, self._context.now_ms(), "audit_searched", account.id, address, wanted)
            return await listed(tx, wanted, before)


async def note(
    tx: Transaction,
    now_ms: int,
    action: str,
    account_id: str | None,
    address: str,
    wanted: Filter,
    **detail: int | str,
) -> None:
    """That somebody looked at the audit or took some of it out, and whose part of it."""
    about: dict[str, int | str] = {
        name: value
        for name in ("account_id", "action", "from_ms", "to_ms")
        if (value := getattr(wanted, name)) is not None
    }
    entry = audit.Entry(
        action, "audit", wanted.account_id or wanted.case_id or "all", address,
        account_id=account_id, case_id=wanted.case_id, patient_id=wanted.patient_id,
        detail={**about, **detail},
    )  # fmt: skip
    await audit.append(tx, now_ms, entry)


async def filter_of(tx: Transaction, asked: Asked) -> Filter:
    """A case stands for its patient: all of theirs is found. Raises Refused `not_found`."""
    wanted = Filter(action=asked.action or None, from_ms=asked.from_ms, to_ms=asked.to_ms)
    if asked.account:
        wanted = replace(wanted, account_id=await _account(tx, asked.account))
    if asked.case:
        case_id = await cases.id_of_label(tx, asked.case) or asked.case
        patient = await patients.of_case(tx, case_id)
        if patient is None and await cases.by_id(tx, case_id) is None:
            raise Refused("not_found")
        if patient is None:
            return replace(wanted, case_id=case_id)
        wanted = replace(wanted, patient_id=patient.id)
    return wanted


async def _account(tx: Transaction, named: str) -> str:
    by_email = await accounts.by_email(tx, named.strip().lower())
    found = by_email[0] if by_email else await accounts.by_id(tx, named)
    if found is None:
        raise Refused("not_found")
    return found.id


async def listed(tx: Transaction, wanted: Filter, before: int | None, limit: int = LISTED) -> dict[str, Any]:
    """`next`: ask for what is before it; null at the end."""
    rows = await audit_trail.newest_first(tx, wanted, before, limit)
    return {"entries": await told(tx, rows), "next": rows[-1].id if len(rows) == limit else None}


async def told(tx: Transaction, rows: Sequence[Written]) -> list[dict[str, Any]]:
    """Entries with the names of accounts and the labels of cases; nothing of a patient but the id."""
    people = await _people(tx, rows)
    sites = await accounts.all_sites(tx)
    known = await cases.all_by_id(tx, {row.entry.case_id for row in rows if row.entry.case_id})
    seats = await consultations.seats_by_id(tx, {row.entry.seat_id for row in rows if row.entry.seat_id})
    return [
        {
            "id": row.id,
            "at_ms": row.at_ms,
            "action": row.entry.action,
            "account": _who(people.get(row.entry.account_id or ""), sites),
            "seat_role": seats[row.entry.seat_id].role if row.entry.seat_id in seats else None,
            "address": row.entry.address,
            "patient_id": row.entry.patient_id,
            "case": known[row.entry.case_id].label if row.entry.case_id in known else None,
            "subject_type": row.entry.subject_type,
            "subject_id": row.entry.subject_id,
            "reason": row.entry.detail.get("reason"),
            "detail": {key: value for key, value in row.entry.detail.items() if key != "reason"},
            "hash": row.hash,
        }
        for row in rows
    ]


def _who(account: Account | None, sites: dict[str, Any]) -> dict[str, Any] | None:
    if account is None:
        return None
    site = sites[account.site_id].name
    return {"id": account.id, "name": account.name, "roles": list(account.roles), "site": site}


async def _people(tx: Transaction, rows: Iterable[Written]) -> dict[str, Account]:
    ids = {row.entry.account_id for row in rows if row.entry.account_id}
    return {account.id: account for account in await accounts.by_ids(tx, ids)}
