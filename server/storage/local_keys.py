"""Keys that browsers seal their local copies with: one a signed-in session, destroyed when it is revoked."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from server.storage.database import Transaction
from server.storage.schema import account_sessions
from server.storage.schema_casework import local_keys


async def of_session(tx: Transaction, session_id: str) -> str | None:
    query = select(local_keys.c.key).where(local_keys.c.session_id == session_id)
    return (await tx.execute(query)).scalar_one_or_none()


async def put(tx: Transaction, session_id: str, key: str) -> None:
    await tx.execute(insert(local_keys).values(session_id=session_id, key=key))


async def destroy_revoked(tx: Transaction) -> None:
    """Those of sessions that were revoked: what they sealed cannot be read by anybody any more."""
    over = select(account_sessions.c.id).where(account_sessions.c.revoked_ms.is_not(None))
    await tx.execute(delete(local_keys).where(local_keys.c.session_id.in_(over)))
