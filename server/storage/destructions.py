"""What was asked to be destroyed, how far that is, and the receipt: one row per (recording, seat), for ever.

`seat_id` is empty for a whole recording. Of a case's documents (`kind`) there may be several, each with its
own id in the place of a recording's. It must not decide: rules are in `server/domain/retention.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import destructions

REQUESTED, BEGUN, DONE = "requested", "begun", "done"
WHOLE = ""
MEDIA, DOCUMENTS = "media", "documents"  # kinds
THE_DOCUMENTS = "documents"  # in the place of a seat


@dataclass(frozen=True, slots=True)
class Destruction:
    """`plan`: what there was, noted before the first key went; a receipt is made of it."""

    id: str
    recording_id: str
    seat_id: str
    case_id: str
    cause: str
    reason: str
    requested_by: str
    on_behalf: bool
    requested_ms: int
    state: str
    plan: Mapping[str, Any]
    destroyed_ms: int | None = None
    receipt: str | None = None
    receipt_number: int | None = None
    receipt_hash: str | None = None
    kind: str = MEDIA

    @property
    def whole(self) -> bool:
        return self.seat_id == WHOLE


async def add(tx: AsyncConnection, row: Destruction) -> None:
    """Raises sqlalchemy.exc.IntegrityError when there is one of this recording and seat."""
    await tx.execute(
        insert(destructions).values(**{name: getattr(row, name) for name in Destruction.__dataclass_fields__})
    )


async def replace(tx: AsyncConnection, row: Destruction) -> None:
    """What the books now say of this recording and seat, whatever they said before."""
    await tx.execute(
        delete(destructions).where(
            or_(
                destructions.c.id == row.id,
                (destructions.c.recording_id == row.recording_id) & (destructions.c.seat_id == row.seat_id),
            )
        )
    )
    await add(tx, row)


async def get(tx: AsyncConnection, recording: str, seat: str = WHOLE) -> Destruction | None:
    query = select(destructions).where(
        destructions.c.recording_id == recording, destructions.c.seat_id == seat
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _row(row)


async def by_id(tx: AsyncConnection, id_: str) -> Destruction | None:
    row = (await tx.execute(select(destructions).where(destructions.c.id == id_))).one_or_none()
    return None if row is None else _row(row)


async def of_recording(tx: AsyncConnection, recording: str) -> list[Destruction]:
    """In whatever state, in the order they were asked for."""
    query = select(destructions).where(destructions.c.recording_id == recording)
    return await _all(tx, query)


async def of_case(tx: AsyncConnection, case_id: str) -> list[Destruction]:
    return await _all(tx, select(destructions).where(destructions.c.case_id == case_id))


async def documents_waiting(tx: AsyncConnection, case_id: str) -> bool:
    """Whether documents of a case are to be destroyed and are not yet."""
    query = select(func.count()).where(
        destructions.c.case_id == case_id, destructions.c.kind == DOCUMENTS, destructions.c.state != DONE
    )
    return bool((await tx.execute(query)).scalar_one())


async def forget(tx: AsyncConnection, id_: str) -> None:
    """One that was asked for, has not begun, and is not to be done any more."""
    await tx.execute(delete(destructions).where(destructions.c.id == id_, destructions.c.state == REQUESTED))


async def unfinished(tx: AsyncConnection) -> list[Destruction]:
    """Asked for and not done, oldest first; those that have begun before all others."""
    found = await _all(tx, select(destructions).where(destructions.c.state != DONE))
    return sorted(found, key=lambda row: row.state != BEGUN)


async def everything(tx: AsyncConnection) -> list[Destruction]:
    return await _all(tx, select(destructions))


async def blocked(tx: AsyncConnection, recording: str) -> set[str]:
    """Seats that may not be shown, played or exported any more, from the moment it was asked for; with WHOLE
    ("") among them nobody may.
    """
    query = select(destructions.c.seat_id).where(destructions.c.recording_id == recording)
    return set((await tx.execute(query)).scalars())


async def blocked_of(tx: AsyncConnection, recordings: Collection[str]) -> set[tuple[str, str]]:
    """The same of several: (recording, seat)."""
    query = select(destructions.c.recording_id, destructions.c.seat_id)
    found = await tx.execute(query.where(destructions.c.recording_id.in_(list(recordings))))
    return {(row.recording_id, row.seat_id) for row in found.all()}


async def change(tx: AsyncConnection, id_: str, **values: Any) -> None:
    await tx.execute(update(destructions).where(destructions.c.id == id_).values(**values))


async def count(tx: AsyncConnection, state: str) -> int:
    query = select(func.count()).where(destructions.c.state == state)
    return int((await tx.execute(query)).scalar_one())


async def _all(tx: AsyncConnection, query: Any) -> list[Destruction]:
    found = await tx.execute(query.order_by(destructions.c.requested_ms, destructions.c.id))
    return [_row(row) for row in found.all()]


def _row(row: Row[Any]) -> Destruction:
    return Destruction(**row._mapping)
