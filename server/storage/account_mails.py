"""Mails about accounts: the outbox of those, and the one-time links in them. Only a link's hash is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update

from server.domain.account_mail import AccountMail, PasswordLink
from server.domain.mail import STALE, WAITING
from server.storage.database import Transaction
from server.storage.schema_sign_in import account_mails, reset_requests


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Somebody typed this address, from this one."""

    id: str
    email: str = field(repr=False)
    address: str = field(repr=False)


async def add(tx: Transaction, mail: AccountMail) -> None:
    await tx.execute(
        insert(account_mails).values(
            id=mail.id,
            account_id=mail.account_id,
            kind=mail.kind,
            state=WAITING,
            attempts=mail.attempts,
            next_ms=mail.made_ms,
            made_ms=mail.made_ms,
            expires_ms=mail.expires_ms,
        )
    )


async def void(tx: Transaction, account_id: str, kinds: Iterable[str], now_ms: int) -> None:
    """These links of an account work no more, and what waits of them is not sent."""
    of_these = (account_mails.c.account_id == account_id) & account_mails.c.kind.in_(tuple(kinds))
    waiting = of_these & (account_mails.c.state == WAITING)
    unused = of_these & account_mails.c.used_ms.is_(None)
    await tx.execute(update(account_mails).where(unused).values(used_ms=now_ms))
    await tx.execute(update(account_mails).where(waiting).values(state=STALE, done_ms=now_ms))


async def due(tx: Transaction, now_ms: int, limit: int) -> list[AccountMail]:
    """Those to be tried now, the oldest first."""
    query = (
        select(account_mails)
        .where(account_mails.c.state == WAITING, account_mails.c.next_ms <= now_ms)
        .order_by(account_mails.c.made_ms, account_mails.c.id)
        .limit(limit)
    )
    return [
        AccountMail(row.id, row.account_id, row.kind, row.attempts, row.made_ms, row.expires_ms)
        for row in await tx.execute(query)
    ]


async def set_token(tx: Transaction, mail_id: str, token_hash: str) -> None:
    """Whatever link went out with an earlier attempt works no more."""
    await tx.execute(update(account_mails).where(account_mails.c.id == mail_id).values(token_hash=token_hash))


async def link(tx: Transaction, token_hash: str) -> PasswordLink | None:
    query = select(account_mails).where(account_mails.c.token_hash == token_hash)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return PasswordLink(row.id, row.account_id, row.kind, row.expires_ms, row.used_ms)


async def use(tx: Transaction, mail_id: str, now_ms: int) -> bool:
    """True for exactly one caller."""
    done = await tx.execute(
        update(account_mails)
        .where(account_mails.c.id == mail_id, account_mails.c.used_ms.is_(None))
        .values(used_ms=now_ms)
    )
    return done.rowcount == 1


async def ask_reset(tx: Transaction, request: ResetRequest, now_ms: int) -> None:
    await tx.execute(
        insert(reset_requests).values(
            id=request.id, email=request.email, address=request.address, asked_ms=now_ms
        )
    )


async def resets_wait(tx: Transaction) -> bool:
    return (await tx.execute(select(reset_requests.c.id).limit(1))).first() is not None


async def take_resets(tx: Transaction) -> list[ResetRequest]:
    """All that were asked for, gone from here."""
    rows = (await tx.execute(select(reset_requests).order_by(reset_requests.c.asked_ms))).all()
    await tx.execute(delete(reset_requests).where(reset_requests.c.id.in_([row.id for row in rows])))
    return [ResetRequest(row.id, row.email, row.address) for row in rows]
