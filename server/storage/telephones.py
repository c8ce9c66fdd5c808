"""Telephone numbers of sites and of people, by the id of either."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import telephones


async def put(tx: AsyncConnection, owner: str, number: str) -> None:
    """The owner's number from now on; none when it is empty."""
    await tx.execute(delete(telephones).where(telephones.c.id == owner))
    if number:
        await tx.execute(insert(telephones).values(id=owner, number=number))


async def of(tx: AsyncConnection, owners: Iterable[str]) -> dict[str, str]:
    """Numbers by owner; who has none is not there."""
    rows = await tx.execute(select(telephones).where(telephones.c.id.in_(set(owners))))
    return {row.id: row.number for row in rows}
