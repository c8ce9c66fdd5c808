"""What a case's page says of keeping: until when, what is held, what was withdrawn or destroyed, receipts.

No clinical content: the privacy officer reads it too. Who may is asked before.
"""

from __future__ import annotations

from typing import Any

from server.domain.consultation import Seat
from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.permissions import Action, Relation, allowed
from server.domain.retention import verdict, years_of
from server.services.access import listed_name
from server.services.context import Context
from server.storage import consultations, destructions, holds, retentions
from server.storage.destructions import WHOLE, Destruction
from server.storage.retentions import Kept


async def keeping_of(
    context: Context, account: Account, case_id: str, held: frozenset[Relation]
) -> dict[str, Any]:
    """`{now_ms, hold, recordings: […]}`, newest first. `held`: how the account stands to the case."""
    now_ms = context.now_ms()
    async with context.database.read() as tx:
        rows = await retentions.of_case(tx, case_id)
        standing = await holds.active(tx, case_id)
        gone = await destructions.of_case(tx, case_id)
        seats = await consultations.seats_of(tx, {row.consultation_id for row in rows})
        zones = {row.recording_id: await retentions.zones_of(tx, row.consultation_id) for row in rows}
    return {
        "now_ms": now_ms,
        "hold": None if not standing else {"since_ms": standing[0].set_ms, "reason": standing[0].reason},
        "recordings": [
            {
                "id": row.recording_id,
                "started_at_ms": row.started_ms,
                "class": row.klass,
                "years": years_of(row.klass, context.settings.retention_years) + row.extended_years,
                "kept_until_ms": row.standing.kept_until_ms,
                "zones": zones[row.recording_id],
                "state": str(verdict(row.standing, now_ms, context.settings.retention_warn_days)),
                "seats": [
                    _seat(account, seat, by_seat, held)
                    for by_seat in [_by_seat(gone, row)]
                    for seat in seats
                    if seat.consultation_id == row.consultation_id
                ],
                "receipts": [_receipt(each) for each in gone if each.recording_id == row.recording_id],
            }
            for row in rows
        ],
    }


async def receipt_of(context: Context, case_id: str, number: str) -> bytes:
    """A receipt's envelope. Raises Refused `not_found`."""
    async with context.database.read() as tx:
        rows = await destructions.of_case(tx, case_id)
    for row in rows:
        if row.receipt is not None and str(row.receipt_number) == number:
            return row.receipt.encode("ascii")
    raise Refused("not_found")


def _by_seat(gone: list[Destruction], row: Kept) -> dict[str, Destruction]:
    return {each.seat_id: each for each in gone if each.recording_id == row.recording_id}


def _seat(
    account: Account, seat: Seat, gone: dict[str, Destruction], held: frozenset[Relation]
) -> dict[str, Any]:
    own = {Relation.OWN_SEAT} if seat.account_id == account.id else set()
    place = {Relation.SEAT_OF_OWN_SITE} if seat.site_id == account.site_id else set()
    may = allowed(Action.SEAT_WITHDRAW, account.roles, own | place)
    found = gone.get(seat.id)
    return {
        "id": seat.id,
        "name": listed_name(seat, account, held),
        "role": seat.role,
        "mine": bool(own),
        "withdrawn": found.state if found else None,
        "may_withdraw": may and found is None and WHOLE not in gone,
    }


def _receipt(row: Destruction) -> dict[str, Any]:
    return {
        "number": row.receipt_number,
        "seat": row.seat_id,
        "cause": row.cause,
        "state": row.state,
        "requested_ms": row.requested_ms,
        "destroyed_ms": row.destroyed_ms if row.state == destructions.DONE else None,
        "hash": row.receipt_hash,
    }
