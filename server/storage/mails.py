"""The outbox: mails wait here until a mail server has taken them, so that none is lost while it is down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.mail import DECLINED, REFUSED, STALE, WAITING, Mail
from server.storage.database import Database
from server.storage.schema_mails import mails
from server.storage.schema_sign_in import account_mails

BOXES = (mails, account_mails)
"""One outbox in two tables: of hours, and of accounts. Ids are told apart by being random."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """`oldest_ms`: since when the one that has waited longest waits."""

    waiting: int
    oldest_ms: int | None
    refused: int


async def add(tx: AsyncConnection, mail: Mail) -> None:
    """Nothing when this was written before. What still waits of older news for the same person is stale."""
    same = select(mails.c.id).where(
        mails.c.consultation_id == mail.consultation_id,
        mails.c.account_id == mail.account_id,
        mails.c.kind == mail.kind,
        mails.c.sequence == mail.sequence,
    )
    if (await tx.execute(same)).first() is not None:
        return
    await tx.execute(
        update(mails)
        .where(
            mails.c.consultation_id == mail.consultation_id,
            mails.c.account_id == mail.account_id,
            mails.c.state == WAITING,
            mails.c.sequence < mail.sequence,
        )
        .values(state=STALE, done_ms=mail.made_ms)
    )
    await tx.execute(
        insert(mails).values(
            id=mail.id,
            account_id=mail.account_id,
            consultation_id=mail.consultation_id,
            kind=mail.kind,
            sequence=mail.sequence,
            starts_at_ms=mail.starts_at_ms,
            ends_at_ms=mail.ends_at_ms,
            state=WAITING,
            attempts=mail.attempts,
            next_ms=mail.made_ms,
            made_ms=mail.made_ms,
        )
    )


async def drop_declined(tx: AsyncConnection, consultation_id: str) -> None:
    """They come after all, or the hour is another: what coordinators were to be told, and were not yet."""
    await tx.execute(
        delete(mails).where(
            mails.c.consultation_id == consultation_id, mails.c.kind == DECLINED, mails.c.state == WAITING
        )
    )


async def told_of(tx: AsyncConnection, consultation_ids: Iterable[str]) -> set[tuple[str, str, int]]:
    """(consultation, kind, sequence) of every mail that was written of these."""
    query = select(mails.c.consultation_id, mails.c.kind, mails.c.sequence).distinct()
    rows = await tx.execute(query.where(mails.c.consultation_id.in_(set(consultation_ids))))
    return {(row.consultation_id, row.kind, row.sequence) for row in rows}


_OVER = ((mails, mails.c.starts_at_ms), (account_mails, account_mails.c.expires_ms))


async def any_overtaken(tx: AsyncConnection, now_ms: int) -> bool:
    for box, over_ms in _OVER:
        query = select(box.c.id).where(box.c.state == WAITING, over_ms <= now_ms).limit(1)
        if (await tx.execute(query)).first() is not None:
            return True
    return False


async def overtake(tx: AsyncConnection, now_ms: int) -> None:
    """What is of no use any more because its hour has begun, or its link is over, is not sent."""
    for box, over_ms in _OVER:
        waits = (box.c.state == WAITING) & (over_ms <= now_ms)
        await tx.execute(update(box).where(waits).values(state=STALE, done_ms=now_ms))


async def due(tx: AsyncConnection, now_ms: int, limit: int) -> list[Mail]:
    """Those to be tried now, the oldest first."""
    query = (
        select(mails)
        .where(mails.c.state == WAITING, mails.c.next_ms <= now_ms)
        .order_by(mails.c.made_ms, mails.c.sequence, mails.c.id)
        .limit(limit)
    )
    return [_mail(row) for row in await tx.execute(query)]


async def done(tx: AsyncConnection, mail_id: str, state: str, now_ms: int, error: str | None = None) -> None:
    for box in BOXES:
        changed = update(box).where(box.c.id == mail_id)
        await tx.execute(changed.values(state=state, done_ms=now_ms, error=error))


async def later(tx: AsyncConnection, mail_id: str, attempts: int, next_ms: int, error: str) -> None:
    for box in BOXES:
        changed = update(box).where(box.c.id == mail_id)
        await tx.execute(changed.values(attempts=attempts, next_ms=next_ms, error=error))


async def states_of(tx: AsyncConnection, consultation_ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """How many mails to its people are in which state, of each consultation."""
    query = (
        select(mails.c.consultation_id, mails.c.state, func.count().label("n"))
        .where(mails.c.consultation_id.in_(set(consultation_ids)), mails.c.kind != DECLINED)
        .group_by(mails.c.consultation_id, mails.c.state)
    )
    found: dict[str, dict[str, int]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.consultation_id, {})[row.state] = row.n
    return found


async def outbox(database: Database, since_ms: int) -> Outbox:
    """`refused` since then. Raises LookupError when there are no such books."""
    found = []
    try:
        async with database.read() as tx:
            for box in BOXES:
                waiting = select(func.count(), func.min(box.c.made_ms)).where(box.c.state == WAITING)
                refused = select(func.count()).where(box.c.state == REFUSED, box.c.done_ms >= since_ms)
                count, oldest = (await tx.execute(waiting)).one()
                found.append(Outbox(count, oldest, (await tx.execute(refused)).scalar_one()))
    except SQLAlchemyError as error:
        raise LookupError("no outbox") from error
    oldest = min((box.oldest_ms for box in found if box.oldest_ms is not None), default=None)
    return Outbox(sum(box.waiting for box in found), oldest, sum(box.refused for box in found))


def _mail(row: Row[Any]) -> Mail:
    return Mail(
        id=row.id,
        account_id=row.account_id,
        consultation_id=row.consultation_id,
        kind=row.kind,
        sequence=row.sequence,
        starts_at_ms=row.starts_at_ms,
        ends_at_ms=row.ends_at_ms,
        attempts=row.attempts,
        made_ms=row.made_ms,
    )
