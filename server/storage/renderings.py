"""Flags on renderings. Comments and answers are here only; the audit names the flag."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.renderings import Flag
from server.storage.schema import seats
from server.storage.schema_renderings import rendering_flags as flags


async def add(tx: AsyncConnection, flag: Flag) -> None:
    await tx.execute(insert(flags).values(**{name: getattr(flag, name) for name in Flag.__slots__}))


async def by_id(tx: AsyncConnection, flag: str) -> Flag | None:
    found = (await tx.execute(select(flags).where(flags.c.id == flag))).one_or_none()
    return None if found is None else _flag(found)


async def of_recording(tx: AsyncConnection, recording: str) -> list[Flag]:
    """In the order of what is flagged."""
    query = select(flags).where(flags.c.recording_id == recording)
    return [_flag(row) for row in (await tx.execute(query.order_by(flags.c.from_ms, flags.c.made_ms))).all()]


async def count(tx: AsyncConnection, recording: str) -> int:
    query = select(func.count()).where(flags.c.recording_id == recording)
    return int((await tx.execute(query)).scalar_one())


async def of_account(tx: AsyncConnection, account: str) -> list[Flag]:
    """On renderings at seats of this account, newest first."""
    query = select(flags).join(seats, seats.c.id == flags.c.seat_id).where(seats.c.account_id == account)
    return [_flag(row) for row in (await tx.execute(query.order_by(flags.c.made_ms.desc()))).all()]


async def answer(tx: AsyncConnection, flag: str, text: str, account: str, now_ms: int) -> None:
    change = update(flags).where(flags.c.id == flag)
    await tx.execute(change.values(answer=text, answered_by=account, answered_ms=now_ms))


async def blank(tx: AsyncConnection, recording: str) -> None:
    """The recording is destroyed: that there were flags stays, what they said goes."""
    gone = update(flags).where(flags.c.recording_id == recording)
    await tx.execute(gone.values(comment=""))
    await tx.execute(gone.where(flags.c.answer.is_not(None)).values(answer=""))


def _flag(found: Row[Any]) -> Flag:
    return Flag(**found._mapping)
