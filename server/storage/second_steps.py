"""Authenticator secrets (sealed), recovery codes (hashed), and steps that a browser on its way in has taken.

What may be used once is used up by one UPDATE or DELETE that says so, so that exactly one of many wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update

from server.storage.database import Transaction
from server.storage.schema_sign_in import recovery_codes, sign_in_steps, totp_secrets


@dataclass(frozen=True, slots=True)
class TotpRow:
    sealed: str = field(repr=False)
    confirmed_ms: int | None
    counter: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """What a browser without a session, or a session, has begun. `data`: a challenge, a nonce …"""

    kind: str
    account_id: str | None
    data: dict[str, Any] = field(repr=False)
    made_ms: int
    tries: int


async def totp(tx: Transaction, account_id: str) -> TotpRow | None:
    query = select(totp_secrets).where(totp_secrets.c.account_id == account_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else TotpRow(row.sealed, row.confirmed_ms, row.counter)


async def put_totp(tx: Transaction, account_id: str, sealed: str, now_ms: int) -> None:
    """One that is not confirmed yet; another such is gone."""
    await drop_totp(tx, account_id)
    await tx.execute(insert(totp_secrets).values(account_id=account_id, sealed=sealed, made_ms=now_ms))


async def confirm_totp(tx: Transaction, account_id: str, now_ms: int) -> None:
    own = totp_secrets.c.account_id == account_id
    await tx.execute(update(totp_secrets).where(own).values(confirmed_ms=now_ms))


async def use_counter(tx: Transaction, account_id: str, counter: int) -> bool:
    """False when this code, or a later one, was taken already."""
    fresh = or_(totp_secrets.c.counter.is_(None), totp_secrets.c.counter < counter)
    own = totp_secrets.c.account_id == account_id
    done = await tx.execute(update(totp_secrets).where(own, fresh).values(counter=counter))
    return done.rowcount == 1


async def drop_totp(tx: Transaction, account_id: str) -> bool:
    done = await tx.execute(delete(totp_secrets).where(totp_secrets.c.account_id == account_id))
    return done.rowcount == 1


async def put_recovery(tx: Transaction, account_id: str, hashes: Iterable[str], now_ms: int) -> None:
    """These are all there are."""
    await drop_recovery(tx, account_id)
    rows = [{"hash": each, "account_id": account_id, "made_ms": now_ms} for each in hashes]
    await tx.execute(insert(recovery_codes), rows)


async def drop_recovery(tx: Transaction, account_id: str) -> None:
    await tx.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account_id))


async def use_recovery(tx: Transaction, account_id: str, code_hash: str, now_ms: int) -> bool:
    """True for exactly one caller."""
    done = await tx.execute(
        update(recovery_codes)
        .where(
            recovery_codes.c.hash == code_hash,
            recovery_codes.c.account_id == account_id,
            recovery_codes.c.used_ms.is_(None),
        )
        .values(used_ms=now_ms)
    )
    return done.rowcount == 1


async def recovery_left(tx: Transaction, account_id: str) -> int:
    query = select(func.count()).where(
        recovery_codes.c.account_id == account_id, recovery_codes.c.used_ms.is_(None)
    )
    return int((await tx.execute(query)).scalar_one())


async def begin(tx: Transaction, holder_hash: str, step: Step, oldest_ms: int) -> None:
    """Instead of what this browser began before; what others began before `oldest_ms` goes too."""
    own = (sign_in_steps.c.holder_hash == holder_hash) & (sign_in_steps.c.kind == step.kind)
    await tx.execute(delete(sign_in_steps).where(or_(own, sign_in_steps.c.made_ms < oldest_ms)))
    await tx.execute(
        insert(sign_in_steps).values(
            holder_hash=holder_hash,
            kind=step.kind,
            account_id=step.account_id,
            data=step.data,
            made_ms=step.made_ms,
            tries=step.tries,
        )
    )


async def step(tx: Transaction, holder_hash: str, kind: str) -> Step | None:
    own = (sign_in_steps.c.holder_hash == holder_hash) & (sign_in_steps.c.kind == kind)
    row = (await tx.execute(select(sign_in_steps).where(own))).one_or_none()
    return None if row is None else Step(row.kind, row.account_id, row.data, row.made_ms, row.tries)


async def count_try(tx: Transaction, holder_hash: str, kind: str) -> None:
    own = (sign_in_steps.c.holder_hash == holder_hash) & (sign_in_steps.c.kind == kind)
    await tx.execute(update(sign_in_steps).where(own).values(tries=sign_in_steps.c.tries + 1))


async def end(tx: Transaction, holder_hash: str, kind: str) -> bool:
    """True for exactly one caller: it is used up."""
    own = (sign_in_steps.c.holder_hash == holder_hash) & (sign_in_steps.c.kind == kind)
    return (await tx.execute(delete(sign_in_steps).where(own))).rowcount == 1


async def forget(tx: Transaction, account_id: str) -> None:
    """What browsers had begun for this account."""
    await tx.execute(delete(sign_in_steps).where(sign_in_steps.c.account_id == account_id))
