"""What a seat's own page says of the past: what was recorded of it, what became of that, its receipts.

For whoever holds the seat's credential, guests by link included. It must not name other people, the case, or
why it is under hold.
"""

from __future__ import annotations

from typing import Any

from server.domain.errors import Refused
from server.services.access import seat_and_consultation
from server.services.context import Context
from server.storage import accounts, consents, destructions, holds, retentions
from server.storage.destructions import DONE, WHOLE, Destruction
from server.storage.retentions import Kept


async def seat_past(context: Context, seat_id: str) -> dict[str, Any]:
    """`{granted, held, backup_days, recordings: [...]}`, oldest first. Raises Refused `not_found`.

    `granted`: consent was given at some time, so that there may be something.
    """
    async with context.database.read() as tx:
        seat, consultation = await seat_and_consultation(tx, seat_id)
        site = (await accounts.all_sites(tx))[seat.site_id]
        granted = await consents.ever_granted(tx, seat_id)
        rows = await retentions.of_case(tx, consultation.case_id)
        asked = await destructions.of_case(tx, consultation.case_id)
        held = await holds.case_is_held(tx, consultation.case_id)
    own = {(row.recording_id, row.seat_id): row for row in asked if row.seat_id in (seat_id, WHOLE)}
    return {
        "granted": granted,
        "held": held,
        "time_zone": site.time_zone,
        "backup_days": context.settings.key_backup_days,
        "recordings": [
            _told(row, own.get((row.recording_id, seat_id)), own.get((row.recording_id, WHOLE)))
            for row in reversed(rows)
            if row.consultation_id == consultation.id
        ],
    }


async def receipt_of_seat(context: Context, seat_id: str, number: str) -> bytes:
    """The envelope of a receipt for this very seat. Raises Refused `not_found`."""
    async with context.database.read() as tx:
        _, consultation = await seat_and_consultation(tx, seat_id)
        rows = await destructions.of_case(tx, consultation.case_id)
    for row in rows:
        if row.seat_id == seat_id and row.receipt is not None and str(row.receipt_number) == number:
            return row.receipt.encode("ascii")
    raise Refused("not_found")


def _told(row: Kept, withdrawn: Destruction | None, expired: Destruction | None) -> dict[str, Any]:
    found = withdrawn or expired
    done = found is not None and found.state == DONE
    return {
        "started_at_ms": row.started_ms,
        "ended": row.ended_ms is not None,
        "state": "kept" if found is None else found.state,
        "cause": found.cause if found else None,
        "destroyed_ms": found.destroyed_ms if found and done else None,
        "receipt": withdrawn.receipt_number if withdrawn and done else None,
    }
