"""Pairs of said and rendered as they were found, one row a recording; what is told of its time line."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import session_notes
from server.storage.schema_renderings import pairings


async def get(tx: AsyncConnection, recording: str, generation: int, version: int) -> dict[str, Any] | None:
    """What was found in these tracks in this way."""
    query = select(pairings.c.body).where(
        pairings.c.recording_id == recording,
        pairings.c.generation == generation,
        pairings.c.version == version,
    )
    body = (await tx.execute(query)).scalar_one_or_none()
    return None if body is None else dict(json.loads(body))


async def keep(
    tx: AsyncConnection, recording: str, generation: int, version: int, body: dict[str, Any], now_ms: int
) -> None:
    """In the place of whatever was found before."""
    await drop(tx, recording)
    await tx.execute(
        insert(pairings).values(
            recording_id=recording,
            generation=generation,
            version=version,
            body=json.dumps(body, separators=(",", ":")),
            made_ms=now_ms,
        )
    )


async def drop(tx: AsyncConnection, recording: str) -> None:
    await tx.execute(delete(pairings).where(pairings.c.recording_id == recording))


async def time_line(tx: AsyncConnection, session: str) -> list[tuple[int, str, str]]:
    """(Unix ms, word, seat or ""), in order."""
    query = select(session_notes.c.at_ms, session_notes.c.what, session_notes.c.seat_id)
    ordered = query.where(session_notes.c.session_id == session).order_by(
        session_notes.c.at_ms, session_notes.c.id
    )
    return [(row.at_ms, row.what, row.seat_id or "") for row in (await tx.execute(ordered)).all()]
