"""Sites and accounts as their forms change them, licences, and what is cut off when somebody leaves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.consultation import DEAD, OVER
from server.domain.people import Account, Site
from server.domain.staff import Licence
from server.storage.accounts import by_ids
from server.storage.schema import accounts, consultations, seat_credentials, seats, sites
from server.storage.schema_people import licences


async def put_site(tx: AsyncConnection, site: Site) -> None:
    """What there is of it, anew."""
    await tx.execute(
        update(sites)
        .where(sites.c.id == site.id)
        .values(
            name=site.name,
            time_zone=site.time_zone,
            country=site.country,
            address=site.address,
            languages=list(site.languages),
            emergency=site.emergency,
        )
    )


async def everybody(tx: AsyncConnection, site_id: str | None = None) -> list[Account]:
    """Those of a site (None: of all), also those who left, in the order of their ids."""
    query = select(accounts.c.id)
    if site_id is not None:
        query = query.where(accounts.c.site_id == site_id)
    return await by_ids(tx, (await tx.execute(query)).scalars().all())


async def put_account(tx: AsyncConnection, account: Account) -> None:
    """Name, language and roles."""
    values = {"name": account.name, "language": account.language, "roles": list(account.roles)}
    await tx.execute(update(accounts).where(accounts.c.id == account.id).values(**values))


async def set_email(tx: AsyncConnection, account_id: str, email: str) -> None:
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(email=email))


async def set_verified(tx: AsyncConnection, account_id: str, verified: bool, until_ms: int | None) -> None:
    values = {"verified": verified, "verified_until_ms": until_ms}
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(**values))


async def set_left(tx: AsyncConnection, account_id: str, left_ms: int | None) -> None:
    """None: they are back."""
    values = {"disabled": left_ms is not None, "left_ms": left_ms}
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(**values))


async def put_licence(tx: AsyncConnection, licence: Licence) -> None:
    await tx.execute(delete(licences).where(licences.c.account_id == licence.account_id))
    await tx.execute(insert(licences).values(**asdict(licence)))


async def licences_of(tx: AsyncConnection, account_ids: Iterable[str]) -> dict[str, Licence]:
    """By account; who has none is not there."""
    rows = await tx.execute(select(licences).where(licences.c.account_id.in_(set(account_ids))))
    return {row.account_id: Licence(**row._mapping) for row in rows}


async def cut_seats(tx: AsyncConnection, account_id: str, now_ms: int) -> list[str]:
    """Links and credentials of every seat of theirs that is not over; ids of the credentials that fell."""
    own = (
        select(seats.c.id)
        .join(consultations, consultations.c.id == seats.c.consultation_id)
        .where(seats.c.account_id == account_id, consultations.c.state.not_in(OVER))
    )
    await tx.execute(update(seats).where(seats.c.id.in_(own)).values(token_state=DEAD))
    alive = seat_credentials.c.revoked_ms.is_(None) & seat_credentials.c.seat_id.in_(own)
    fallen = list((await tx.execute(select(seat_credentials.c.id).where(alive))).scalars())
    await tx.execute(
        update(seat_credentials).where(seat_credentials.c.id.in_(fallen)).values(revoked_ms=now_ms)
    )
    return fallen
