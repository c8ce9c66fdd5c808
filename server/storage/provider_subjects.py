"""Which account an OpenID provider's subject is."""

from __future__ import annotations

from sqlalchemy import insert, select

from server.storage.database import Transaction
from server.storage.schema_sign_in import provider_subjects


async def account_of(tx: Transaction, issuer: str, subject: str) -> str | None:
    query = select(provider_subjects.c.account_id).where(
        provider_subjects.c.issuer == issuer, provider_subjects.c.subject == subject
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def is_bound(tx: Transaction, issuer: str, account_id: str) -> bool:
    """Whether some subject of this provider is this account already."""
    query = select(provider_subjects.c.subject).where(
        provider_subjects.c.issuer == issuer, provider_subjects.c.account_id == account_id
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def is_known(tx: Transaction, account_id: str) -> bool:
    """Whether some subject of any provider is this account."""
    query = select(provider_subjects.c.subject).where(provider_subjects.c.account_id == account_id)
    return (await tx.execute(query.limit(1))).first() is not None


async def bind(tx: Transaction, issuer: str, subject: str, account_id: str, now_ms: int) -> None:
    await tx.execute(
        insert(provider_subjects).values(
            issuer=issuer, subject=subject, account_id=account_id, made_ms=now_ms
        )
    )
