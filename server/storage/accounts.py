"""Sites, accounts and their signed-in browsers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.people import Account, AccountSession, Site
from server.storage.schema import account_sessions, accounts, sites


async def add_site(tx: AsyncConnection, site: Site) -> None:
    await tx.execute(
        insert(sites).values(
            id=site.id,
            name=site.name,
            time_zone=site.time_zone,
            country=site.country,
            address=site.address,
            languages=list(site.languages),
            emergency=site.emergency,
        )
    )


async def all_sites(tx: AsyncConnection) -> dict[str, Site]:
    """Every site by its id."""
    rows = (await tx.execute(select(sites))).all()
    return {
        row.id: Site(
            row.id, row.name, row.time_zone, row.country, row.address, tuple(row.languages), row.emergency
        )
        for row in rows
    }


NO_PASSWORD = ""
"""Instead of a hash: nobody gets in with a password until an invitation's link has set one."""


async def add_account(tx: AsyncConnection, account: Account, password_hash: str = NO_PASSWORD) -> None:
    """Raises sqlalchemy.exc.IntegrityError when the address is taken."""
    await tx.execute(
        insert(accounts).values(
            id=account.id,
            email=account.email,
            password_hash=password_hash,
            name=account.name,
            language=account.language,
            site_id=account.site_id,
            roles=list(account.roles),
            verified=account.verified,
            disabled=account.disabled,
        )
    )


async def set_password(tx: AsyncConnection, account_id: str, password_hash: str) -> None:
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(password_hash=password_hash))


async def has_password(tx: AsyncConnection, account_id: str) -> bool:
    query = select(accounts.c.password_hash).where(accounts.c.id == account_id)
    return (await tx.execute(query)).scalar_one_or_none() not in (None, NO_PASSWORD)


async def by_email(tx: AsyncConnection, email: str) -> tuple[Account, str] | None:
    """The account and its password hash."""
    row = (await tx.execute(_accounts().where(accounts.c.email == email))).one_or_none()
    return None if row is None else (_account(row), row.password_hash)


async def by_id(tx: AsyncConnection, account_id: str) -> Account | None:
    row = (await tx.execute(_accounts().where(accounts.c.id == account_id))).one_or_none()
    return None if row is None else _account(row)


async def names(tx: AsyncConnection, account_ids: Iterable[str]) -> dict[str, str]:
    """Of those of them that there are, by their ids."""
    query = select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(list(account_ids)))
    return {row.id: row.name for row in (await tx.execute(query)).all()}


async def by_ids(tx: AsyncConnection, account_ids: Iterable[str]) -> list[Account]:
    """In the order of their ids."""
    query = _accounts().where(accounts.c.id.in_(set(account_ids))).order_by(accounts.c.id)
    return [_account(row) for row in (await tx.execute(query)).all()]


async def of_site(tx: AsyncConnection, site_id: str) -> list[Account]:
    """Disabled ones too."""
    rows = (await tx.execute(_accounts().where(accounts.c.site_id == site_id))).all()
    return [_account(row) for row in rows]


async def of_role(tx: AsyncConnection, role: str) -> list[Account]:
    """Those who may sign in, in the order of their ids."""
    query = _accounts().where(accounts.c.disabled.is_(False)).order_by(accounts.c.id)
    found = [_account(row) for row in (await tx.execute(query)).all()]
    return [account for account in found if role in account.roles]


async def add_session(tx: AsyncConnection, session: AccountSession, token_hash: str) -> None:
    await tx.execute(
        insert(account_sessions).values(
            id=session.id,
            token_hash=token_hash,
            account_id=session.account_id,
            created_ms=session.created_ms,
            last_seen_ms=session.last_seen_ms,
            agent=session.agent,
            second_step=session.second_step,
            active_ms=session.active_ms,
            proved_ms=session.proved_ms,
        )
    )


async def session_by_token(tx: AsyncConnection, token_hash: str) -> tuple[AccountSession, Account] | None:
    query = (
        select(account_sessions)
        .where(account_sessions.c.token_hash == token_hash)
        .where(account_sessions.c.revoked_ms.is_(None))
    )
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    account = await by_id(tx, row.account_id)
    return None if account is None else (_session(row), account)


async def sessions_of(tx: AsyncConnection, account_id: str) -> list[AccountSession]:
    """Those not revoked, newest first."""
    query = (
        select(account_sessions)
        .where(account_sessions.c.account_id == account_id, account_sessions.c.revoked_ms.is_(None))
        .order_by(account_sessions.c.created_ms.desc())
    )
    return [_session(row) for row in (await tx.execute(query)).all()]


async def touch_session(tx: AsyncConnection, session_id: str, now_ms: int) -> None:
    await tx.execute(
        update(account_sessions).where(account_sessions.c.id == session_id).values(last_seen_ms=now_ms)
    )


async def note_active(tx: AsyncConnection, session_id: str, now_ms: int) -> None:
    changed = update(account_sessions).where(account_sessions.c.id == session_id)
    await tx.execute(changed.values(active_ms=now_ms))


async def note_proof(
    tx: AsyncConnection, session_id: str, now_ms: int, second_step: str | None = None
) -> None:
    """It was shown whose it is; that is somebody touching it, too. `second_step`: when that was one."""
    values: dict[str, int | str] = {"active_ms": now_ms, "proved_ms": now_ms}
    if second_step is not None:
        values["second_step"] = second_step
    await tx.execute(update(account_sessions).where(account_sessions.c.id == session_id).values(**values))


async def revoke_session(tx: AsyncConnection, account_id: str, session_id: str, now_ms: int) -> bool:
    """False when this account has no such live session."""
    done = await tx.execute(
        update(account_sessions)
        .where(
            account_sessions.c.id == session_id,
            account_sessions.c.account_id == account_id,
            account_sessions.c.revoked_ms.is_(None),
        )
        .values(revoked_ms=now_ms)
    )
    return done.rowcount == 1


async def revoke_all_sessions(
    tx: AsyncConnection, account_id: str, now_ms: int, *, but: str | None = None
) -> list[str]:
    """Every browser this account is signed in with (but this one), and with it every seat taken by it.

    Ids of those that ended.
    """
    query = select(account_sessions.c.id).where(
        account_sessions.c.account_id == account_id, account_sessions.c.revoked_ms.is_(None)
    )
    ended = [each for each in (await tx.execute(query)).scalars() if each != but]
    await tx.execute(
        update(account_sessions).where(account_sessions.c.id.in_(ended)).values(revoked_ms=now_ms)
    )
    return ended


async def set_disabled(tx: AsyncConnection, account_id: str, disabled: bool) -> None:
    values = {"disabled": disabled} | ({} if disabled else {"left_ms": None})
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(**values))


def _accounts() -> Select[Any]:
    return select(accounts, sites.c.time_zone).join(sites, sites.c.id == accounts.c.site_id)


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        email=row.email,
        name=row.name,
        language=row.language,
        site_id=row.site_id,
        roles=tuple(row.roles),
        verified=row.verified,
        disabled=row.disabled,
        time_zone=row.time_zone,
        verified_until_ms=row.verified_until_ms,
        left_ms=row.left_ms,
    )


def _session(row: Row[Any]) -> AccountSession:
    return AccountSession(
        id=row.id,
        account_id=row.account_id,
        created_ms=row.created_ms,
        last_seen_ms=row.last_seen_ms,
        revoked_ms=row.revoked_ms,
        agent=row.agent,
        second_step=row.second_step,
        active_ms=row.active_ms,
        proved_ms=row.proved_ms,
    )
