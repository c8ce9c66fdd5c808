"""Who has said that they cannot come to the hour of their seat: one row a seat, the newest word."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from server.storage.database import Transaction
from server.storage.schema import seats
from server.storage.schema_schedule import declined_seats


@dataclass(frozen=True, slots=True)
class Declined:
    seat_id: str
    account_id: str
    reason: str
    at_ms: int


async def put(tx: Transaction, one: Declined) -> None:
    await take_back(tx, one.seat_id)
    await tx.execute(
        insert(declined_seats).values(
            seat_id=one.seat_id, account_id=one.account_id, reason=one.reason, at_ms=one.at_ms
        )
    )


async def take_back(tx: Transaction, seat_id: str) -> None:
    await tx.execute(delete(declined_seats).where(declined_seats.c.seat_id == seat_id))


async def forget(tx: Transaction, consultation_id: str) -> None:
    """The hour is another: whoever said no to the one before is asked anew."""
    of_it = select(seats.c.id).where(seats.c.consultation_id == consultation_id)
    await tx.execute(delete(declined_seats).where(declined_seats.c.seat_id.in_(of_it)))


async def of_seats(tx: Transaction, seat_ids: Collection[str]) -> dict[str, Declined]:
    """By seat."""
    query = select(declined_seats).where(declined_seats.c.seat_id.in_(list(seat_ids)))
    found = [Declined(row.seat_id, row.account_id, row.reason, row.at_ms) for row in await tx.execute(query)]
    return {one.seat_id: one for one in found}


async def of_hours(tx: Transaction, consultation_ids: Collection[str]) -> list[tuple[str, Declined]]:
    """(consultation, who cannot come), the first said first."""
    query = (
        select(declined_seats, seats.c.consultation_id)
        .join(seats, seats.c.id == declined_seats.c.seat_id)
        .where(seats.c.consultation_id.in_(list(consultation_ids)))
        .order_by(declined_seats.c.at_ms, declined_seats.c.seat_id)
    )
    return [
        (row.consultation_id, Declined(row.seat_id, row.account_id, row.reason, row.at_ms))
        for row in await tx.execute(query)
    ]
