"""Exports in the database: what was asked for, what it contains, how far it is. The files are never here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import exports

UNFINISHED = ("queued", "running")
HELD = (*UNFINISHED, "ready")
"""States in which there is, or will be, something to destroy."""


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One export; times in Unix ms, `options` as in the schema."""

    id: str
    recording_id: str
    kind: str
    options: dict[str, Any]
    seats: list[str]
    state: str
    object: str | None
    bytes: int | None
    sha256: str | None
    error_code: str | None
    made_by: str
    made_ms: int
    finished_ms: int | None
    expires_ms: int | None


async def add(tx: AsyncConnection, row: ExportRow) -> None:
    await tx.execute(insert(exports).values(**{name: getattr(row, name) for name in ExportRow.__slots__}))


async def by_id(tx: AsyncConnection, export: str) -> ExportRow | None:
    found = (await tx.execute(select(exports).where(exports.c.id == export))).one_or_none()
    return None if found is None else _row(found)


async def of_recording(tx: AsyncConnection, recording: str) -> list[ExportRow]:
    """Newest first."""
    query = select(exports).where(exports.c.recording_id == recording)
    ordered = query.order_by(exports.c.made_ms.desc(), exports.c.id)
    return [_row(found) for found in (await tx.execute(ordered)).all()]


async def held(tx: AsyncConnection, recording: str | None = None) -> list[ExportRow]:
    """Those that are not over, oldest first; of one recording or of all."""
    query = select(exports).where(exports.c.state.in_(HELD))
    if recording is not None:
        query = query.where(exports.c.recording_id == recording)
    return [_row(found) for found in (await tx.execute(query.order_by(exports.c.made_ms))).all()]


async def over(tx: AsyncConnection) -> list[str]:
    """Ids of exports of which nothing may be left."""
    query = select(exports.c.id).where(exports.c.state.not_in(HELD))
    return list((await tx.execute(query)).scalars())


async def unfinished_by(tx: AsyncConnection, account: str) -> int:
    """How many an account waits for."""
    query = select(func.count()).select_from(exports)
    query = query.where(exports.c.made_by == account, exports.c.state.in_(UNFINISHED))
    return int((await tx.execute(query)).scalar_one())


async def change(tx: AsyncConnection, export: str, from_states: tuple[str, ...], **values: object) -> bool:
    """Set columns if the export is in one of these states; whether it was."""
    done = update(exports).where(exports.c.id == export, exports.c.state.in_(from_states)).values(**values)
    return bool((await tx.execute(done)).rowcount == 1)


def _row(found: Row[Any]) -> ExportRow:
    return ExportRow(**found._mapping)
