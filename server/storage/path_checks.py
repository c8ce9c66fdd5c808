"""How a seat's page last found its way to the media port. One row a seat, nothing personal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, insert, select

from server.storage.database import Transaction
from server.storage.schema import path_checks


@dataclass(frozen=True, slots=True)
class PathCheck:
    """`relay` None: there is none to try. `clock_ms`: the page's clock less the server's."""

    path: str  # udp, tcp, relay or none: the best that worked
    udp: bool
    tcp: bool
    relay: bool | None
    clock_ms: int


async def put(tx: Transaction, seat_id: str, at_ms: int, found: PathCheck) -> None:
    """In place of the one before."""
    await tx.execute(delete(path_checks).where(path_checks.c.seat_id == seat_id))
    await tx.execute(insert(path_checks).values(seat_id=seat_id, at_ms=at_ms, **asdict(found)))


async def newest(tx: Transaction, seat_id: str) -> tuple[int, PathCheck] | None:
    """(when, what); None before the first."""
    row: Any = (await tx.execute(select(path_checks).where(path_checks.c.seat_id == seat_id))).first()
    if row is None:
        return None
    return row.at_ms, PathCheck(row.path, row.udp, row.tcp, row.relay, row.clock_ms)
