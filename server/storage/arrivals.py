"""Who is on the way: one row a seat, the newest word."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.arrival import Arrival
from server.storage.schema_asides import arrivals


async def put(tx: AsyncConnection, seat_id: str, arrival: Arrival | None) -> None:
    """In place of the one before; None takes it back."""
    await tx.execute(delete(arrivals).where(arrivals.c.seat_id == seat_id))
    if arrival is not None:
        await tx.execute(
            insert(arrivals).values(
                seat_id=seat_id,
                ready_at_ms=arrival.ready_at_ms,
                said_at_ms=arrival.said_at_ms,
                said_by=arrival.said_by,
            )
        )


async def of_seats(tx: AsyncConnection, seats: Iterable[str]) -> list[Arrival]:
    query = select(arrivals).where(arrivals.c.seat_id.in_(list(seats))).order_by(arrivals.c.seat_id)
    rows = (await tx.execute(query)).all()
    return [Arrival(row.seat_id, row.ready_at_ms, row.said_at_ms, row.said_by) for row in rows]
