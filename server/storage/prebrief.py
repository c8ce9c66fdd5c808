"""When the professionals of a session were among themselves, by its time line."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import session_notes

ON, OFF = "prebrief:on", "prebrief:off"


async def spans_of(
    tx: AsyncConnection, session_id: str, started_ms: int, until_ms: int | None
) -> list[tuple[int, int | None]]:
    """(from, to) in ms since the session's start; what was never ended, ends with `until_ms`, if known.

    Said twice it counts once: a server that is started again says how its sessions stand.
    """
    query = select(session_notes.c.at_ms, session_notes.c.what).where(
        session_notes.c.session_id == session_id, session_notes.c.what.in_((ON, OFF))
    )
    found: list[tuple[int, int | None]] = []
    since: int | None = None
    for row in (await tx.execute(query.order_by(session_notes.c.at_ms, session_notes.c.id))).all():
        at = max(0, row.at_ms - started_ms)
        if row.what == ON:
            since = at if since is None else since
        elif since is not None:
            found.append((since, at))
            since = None
    return found if since is None else [*found, (since, until_ms)]
