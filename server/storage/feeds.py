"""Calendar feeds: whose a token is. Only its hash is kept."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema_mails import calendar_feeds


async def add(tx: AsyncConnection, feed_id: str, account_id: str, token_hash: str, now_ms: int) -> None:
    await tx.execute(
        insert(calendar_feeds).values(
            id=feed_id, account_id=account_id, token_hash=token_hash, made_ms=now_ms
        )
    )


async def revoke(tx: AsyncConnection, account_id: str, now_ms: int) -> int:
    """All of this account's; how many were alive."""
    done = await tx.execute(
        update(calendar_feeds)
        .where(calendar_feeds.c.account_id == account_id, calendar_feeds.c.revoked_ms.is_(None))
        .values(revoked_ms=now_ms)
    )
    return done.rowcount


async def account_of(tx: AsyncConnection, token_hash: str) -> str | None:
    """Whose live feed this is."""
    query = select(calendar_feeds.c.account_id).where(
        calendar_feeds.c.token_hash == token_hash, calendar_feeds.c.revoked_ms.is_(None)
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def made_ms(tx: AsyncConnection, account_id: str) -> int | None:
    """Since when this account has a live feed."""
    query = select(calendar_feeds.c.made_ms).where(
        calendar_feeds.c.account_id == account_id, calendar_feeds.c.revoked_ms.is_(None)
    )
    return (await tx.execute(query)).scalar_one_or_none()
