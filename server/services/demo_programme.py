"""The demo's second world: 20 centres in 10 countries, 24 departments, everybody's account with one password.

Nearly all licences were seen; two were not, so that the lists have something to do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from server.services.programme_file import put_programme, shipped
from server.storage import accounts, staff
from server.storage.database import Transaction

UNSEEN = ("physician.20@wide.invalid", "consultant.24@wide.invalid")


async def ensure(tx: Transaction, password_hash: str, admin_id: str, now_ms: int) -> int:
    """How many accounts there are of it."""
    programme = shipped("twenty_centres")
    await put_programme(tx, programme, now_ms)
    for row in programme["people"]:
        await _open(tx, row, password_hash, admin_id, now_ms)
    return len(programme["people"])


async def _open(tx: Transaction, row: dict[str, Any], password_hash: str, admin_id: str, now_ms: int) -> None:
    found = await accounts.by_email(tx, row["email"])
    if found is None:
        return
    account = found[0]
    await accounts.set_password(tx, account.id, password_hash)
    licence = (await staff.licences_of(tx, {account.id})).get(account.id)
    if licence is None or licence.verified_by or row["email"] in UNSEEN:
        return
    await staff.put_licence(tx, replace(licence, verified_by=admin_id, verified_ms=now_ms))
    await staff.set_verified(tx, account.id, True, None)
