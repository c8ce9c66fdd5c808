"""Passkeys of accounts: public keys only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update

from server.storage.database import Transaction
from server.storage.schema_sign_in import passkeys


@dataclass(frozen=True, slots=True)
class Passkey:
    """`credential_id`, `public_key` (COSE): base64url."""

    id: str
    account_id: str
    credential_id: str
    public_key: str
    sign_count: int
    name: str
    made_ms: int
    used_ms: int | None


async def add(tx: Transaction, passkey: Passkey) -> None:
    values = {name: getattr(passkey, name) for name in Passkey.__slots__}
    await tx.execute(insert(passkeys).values(**values))


async def of_account(tx: Transaction, account_id: str) -> list[Passkey]:
    """The oldest first."""
    query = select(passkeys).where(passkeys.c.account_id == account_id).order_by(passkeys.c.made_ms)
    return [_passkey(row) for row in (await tx.execute(query)).all()]


async def listed(tx: Transaction, account_id: str) -> list[dict[str, Any]]:
    """As the page shows them."""
    return [
        {"id": each.id, "name": each.name, "made_ms": each.made_ms, "used_ms": each.used_ms}
        for each in await of_account(tx, account_id)
    ]


async def by_credential(tx: Transaction, credential_id: str) -> Passkey | None:
    query = select(passkeys).where(passkeys.c.credential_id == credential_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _passkey(row)


async def use(tx: Transaction, passkey: Passkey, sign_count: int, now_ms: int) -> bool:
    """False when it was used meanwhile with this count or a later one: a copy of it, or a replay."""
    same = passkeys.c.sign_count == passkey.sign_count
    done = await tx.execute(
        update(passkeys)
        .where(passkeys.c.id == passkey.id, or_(passkeys.c.sign_count < sign_count, same))
        .values(sign_count=sign_count, used_ms=now_ms)
    )
    return done.rowcount == 1


async def remove(tx: Transaction, account_id: str, passkey_id: str) -> bool:
    own = (passkeys.c.account_id == account_id) & (passkeys.c.id == passkey_id)
    return (await tx.execute(delete(passkeys).where(own))).rowcount == 1


async def drop_all(tx: Transaction, account_id: str) -> None:
    await tx.execute(delete(passkeys).where(passkeys.c.account_id == account_id))


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(**{name: getattr(row, name) for name in Passkey.__slots__})
