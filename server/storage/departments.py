"""The programme's departments and their physicians."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from server.storage.database import Transaction
from server.storage.schema import accounts, sites
from server.storage.schema_matching import department_physicians, departments


@dataclass(frozen=True, slots=True)
class PhysicianRow:
    """`languages` with the account's own, where there is one."""

    id: str
    department_id: str
    name: str = field(repr=False)
    places: tuple[str, ...]
    languages: tuple[str, ...]
    account_id: str | None = None
    left: bool = False


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    id: str
    site_id: str
    name: str
    specialty: str
    places: tuple[str, ...]
    languages: tuple[str, ...]
    monthly: int
    closed: bool = False
    synthetic: bool = False
    hospital: str = ""  # the site's name
    time_zone: str = "UTC"


async def put(tx: Transaction, row: DepartmentRow) -> None:
    """Add it, or write it anew."""
    values = {
        "site_id": row.site_id,
        "name": row.name,
        "specialty": row.specialty,
        "places": list(row.places),
        "languages": list(row.languages),
        "monthly": row.monthly,
        "closed": row.closed,
        "synthetic": row.synthetic,
    }
    done = await tx.execute(update(departments).where(departments.c.id == row.id).values(**values))
    if not done.rowcount:
        await tx.execute(insert(departments).values(id=row.id, **values))


async def put_physician(tx: Transaction, row: PhysicianRow) -> None:
    values = {
        "department_id": row.department_id,
        "name": row.name,
        "places": list(row.places),
        "languages": list(row.languages),
        "account_id": row.account_id,
        "left": row.left,
    }
    table = department_physicians
    done = await tx.execute(update(table).where(table.c.id == row.id).values(**values))
    if not done.rowcount:
        await tx.execute(insert(table).values(id=row.id, **values))


async def by_id(tx: Transaction, department_id: str) -> DepartmentRow | None:
    found = await everyone(tx, [department_id])
    return found[0] if found else None


async def physician(tx: Transaction, physician_id: str) -> PhysicianRow | None:
    query = _physicians().where(department_physicians.c.id == physician_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _physician(row)


async def everyone(tx: Transaction, ids: Iterable[str] | None = None) -> list[DepartmentRow]:
    """All of them (or those asked for), closed ones too, in the order of hospital and name."""
    query = (
        select(departments, sites.c.name.label("hospital"), sites.c.time_zone)
        .join(sites, sites.c.id == departments.c.site_id)
        .order_by(sites.c.name, departments.c.name, departments.c.id)
    )
    if ids is not None:
        query = query.where(departments.c.id.in_(list(ids)))
    return [_department(row) for row in (await tx.execute(query)).all()]


async def physicians(tx: Transaction) -> list[PhysicianRow]:
    """Those who have left neither it nor the programme, in the order of their ids."""
    here = department_physicians.c.left.is_(False) & accounts.c.disabled.is_not(True)
    query = _physicians().where(here).order_by(department_physicians.c.id)
    return [_physician(row) for row in (await tx.execute(query)).all()]


def _physicians() -> Select[Any]:
    return select(department_physicians, accounts.c.language.label("own")).outerjoin(
        accounts, accounts.c.id == department_physicians.c.account_id
    )


def _department(row: Row[Any]) -> DepartmentRow:
    return DepartmentRow(
        id=row.id,
        site_id=row.site_id,
        name=row.name,
        specialty=row.specialty,
        places=tuple(row.places),
        languages=tuple(row.languages),
        monthly=row.monthly,
        closed=row.closed,
        synthetic=row.synthetic,
        hospital=row.hospital,
        time_zone=row.time_zone,
    )


def _physician(row: Row[Any]) -> PhysicianRow:
    own = [row.own] if row.own else []
    return PhysicianRow(
        id=row.id,
        department_id=row.department_id,
        name=row.name,
        places=tuple(row.places),
        languages=tuple(dict.fromkeys([*row.languages, *own])),
        account_id=row.account_id,
        left=row.left,
    )


async def leave(tx: Transaction, physician_id: str) -> None:
    table = department_physicians
    await tx.execute(update(table).where(table.c.id == physician_id).values(left=True))


async def languages_at(tx: Transaction, site_id: str) -> tuple[str, ...]:
    """Languages of the referring physicians of a site."""
    query = select(accounts.c.language, accounts.c.roles).where(
        accounts.c.site_id == site_id, accounts.c.disabled.is_(False)
    )
    rows = (await tx.execute(query.order_by(accounts.c.id))).all()
    return tuple(dict.fromkeys(row.language for row in rows if "referring_physician" in row.roles))
