"""Hours and absences of people, sites and rooms; the rooms themselves; what interpreters interpret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.appointment import Interpreter
from server.domain.week import Week, week_of
from server.storage.schema_schedule import absences, interpreters, site_rooms, working_hours


@dataclass(frozen=True, slots=True)
class Hours:
    week: Week
    time_zone: str | None  # None: the site's


@dataclass(frozen=True, slots=True)
class Absence:
    """Local, on the owner's own wall: `2026-12-01T00:00`; the end is not included."""

    id: str
    owner_id: str
    from_local: str
    to_local: str


@dataclass(frozen=True, slots=True)
class SiteRoom:
    id: str
    site_id: str
    name: str = field(repr=False)
    closed: bool


async def put_hours(tx: AsyncConnection, owner_id: str, hours: Hours | None, now_ms: int) -> None:
    """None: they have no hours of their own any more."""
    await tx.execute(delete(working_hours).where(working_hours.c.owner_id == owner_id))
    if hours is not None:
        row = {"owner_id": owner_id, "days": hours.week.as_json(), "time_zone": hours.time_zone}
        await tx.execute(insert(working_hours).values(**row, changed_ms=now_ms))


async def hours_of(tx: AsyncConnection, owners: Iterable[str]) -> dict[str, Hours]:
    """By owner; who has none of their own is not there."""
    rows = await tx.execute(select(working_hours).where(working_hours.c.owner_id.in_(set(owners))))
    return {row.owner_id: Hours(week_of(row.days), row.time_zone) for row in rows}


async def add_absence(tx: AsyncConnection, absence: Absence, made_by: str, now_ms: int) -> None:
    await tx.execute(
        insert(absences).values(
            id=absence.id,
            owner_id=absence.owner_id,
            from_local=absence.from_local,
            to_local=absence.to_local,
            made_by=made_by,
            made_ms=now_ms,
        )
    )


async def remove_absence(tx: AsyncConnection, owner_id: str, absence_id: str) -> bool:
    """False when this owner has no such absence."""
    done = await tx.execute(
        delete(absences).where(absences.c.id == absence_id, absences.c.owner_id == owner_id)
    )
    return done.rowcount == 1


async def absences_of(tx: AsyncConnection, owners: Iterable[str]) -> list[Absence]:
    """In order of their beginnings."""
    query = select(absences).where(absences.c.owner_id.in_(set(owners)))
    rows = await tx.execute(query.order_by(absences.c.from_local, absences.c.id))
    return [Absence(row.id, row.owner_id, row.from_local, row.to_local) for row in rows]


async def put_room(tx: AsyncConnection, room: SiteRoom) -> None:
    """Adds it, or changes its name and whether it is closed."""
    values = {"name": room.name, "closed": room.closed}
    done = await tx.execute(update(site_rooms).where(site_rooms.c.id == room.id).values(**values))
    if done.rowcount == 0:
        await tx.execute(insert(site_rooms).values(id=room.id, site_id=room.site_id, **values))


async def rooms_of(tx: AsyncConnection, sites: Iterable[str]) -> list[SiteRoom]:
    """Closed ones too, by name."""
    query = select(site_rooms).where(site_rooms.c.site_id.in_(set(sites)))
    rows = await tx.execute(query.order_by(site_rooms.c.name, site_rooms.c.id))
    return [SiteRoom(row.id, row.site_id, row.name, row.closed) for row in rows]


async def room_by_id(tx: AsyncConnection, room_id: str) -> SiteRoom | None:
    row = (await tx.execute(select(site_rooms).where(site_rooms.c.id == room_id))).one_or_none()
    return None if row is None else SiteRoom(row.id, row.site_id, row.name, row.closed)


async def put_interpreter(tx: AsyncConnection, one: Interpreter) -> None:
    await tx.execute(delete(interpreters).where(interpreters.c.account_id == one.account_id))
    await tx.execute(
        insert(interpreters).values(
            account_id=one.account_id,
            pairs=sorted(list(pair) for pair in one.pairs),
            fields=sorted(one.fields),
        )
    )


async def all_interpreters(tx: AsyncConnection) -> dict[str, Interpreter]:
    """By account."""
    rows = (await tx.execute(select(interpreters))).all()
    return {
        row.account_id: Interpreter(
            row.account_id, frozenset((one, other) for one, other in row.pairs), frozenset(row.fields)
        )
        for row in rows
    }
