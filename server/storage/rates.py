"""How many bytes a second of recording takes, by what was finished lately. Reads only."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from server.storage.database import Database
from server.storage.schema import recordings

LATEST = 20
LEAST_MS = 600_000
"""Less than ten minutes say nothing about the next hours."""


async def recorded_rate(database: Database) -> float | None:
    """Finished bytes a second of a room, over the latest recordings; None while there are too few.

    Raises LookupError when there are no such books.
    """
    query = (
        select(recordings.c.duration_ms, recordings.c.index_json)
        .where(recordings.c.state == "ready", recordings.c.duration_ms > 0)
        .order_by(recordings.c.updated_ms.desc())
        .limit(LATEST)
    )
    try:
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
    except SQLAlchemyError as error:
        raise LookupError("no recordings") from error
    duration_ms = sum(row.duration_ms for row in rows)
    if duration_ms < LEAST_MS:
        return None
    size = sum(
        int(track.get("bytes", 0))
        for row in rows
        if row.index_json
        for track in json.loads(row.index_json).get("tracks", ())
    )
    return size * 1000 / duration_ms if size else None
