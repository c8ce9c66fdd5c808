"""Who looked at what of a case and its patient, as the audit chain has it. It only reads."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Text, and_, cast, func, or_, select

from server.domain.trail import COPY_ENDINGS, LISTS, LOOK_ENDINGS, OWN_READ, ROOM_ENTERED
from server.storage.database import Transaction
from server.storage.schema import accounts, seats, sites
from server.storage.schema_audit import audit


@dataclass(frozen=True, slots=True)
class Look:
    """`count` times between the first and the last of a day (UTC)."""

    action: str
    name: str
    roles: tuple[str, ...]
    site: str
    count: int
    first_ms: int
    last_ms: int


async def of_case(tx: Transaction, case_id: str, patient_id: str | None, most: int) -> list[Look]:
    """The newest first; the same person's same act of one day is one row. The patient's own are not told.

    `patient_id`: their registration, which belongs to no case, counts too, and lists that named them.
    """
    day = audit.c.at_ms // 86_400_000
    who = func.coalesce(audit.c.account_id, seats.c.account_id)
    endings = (*LOOK_ENDINGS, *COPY_ENDINGS)
    looks = or_(
        *(audit.c.action.endswith(end, autoescape=True) for end in endings),
        audit.c.action.in_((*LISTS, ROOM_ENTERED)),
    )
    about = audit.c.case_id == case_id
    if patient_id:
        registration = and_(audit.c.case_id.is_(None), audit.c.patient_id == patient_id)
        named = cast(audit.c.detail, Text).contains(patient_id, autoescape=True)
        about = or_(about, registration, and_(audit.c.action.in_(LISTS), named))
    query = (
        select(
            audit.c.action,
            who.label("account"),
            seats.c.role,
            func.count().label("times"),
            func.min(audit.c.at_ms).label("first_ms"),
            func.max(audit.c.at_ms).label("last_ms"),
        )
        .select_from(audit.outerjoin(seats, seats.c.id == audit.c.seat_id))
        .where(about, looks, audit.c.action != OWN_READ)
        .group_by(audit.c.action, who, seats.c.role, day)
        .order_by(func.max(audit.c.at_ms).desc())
        .limit(most)
    )
    rows = (await tx.execute(query)).all()
    people = {
        row.id: row
        for row in (
            await tx.execute(
                select(accounts.c.id, accounts.c.name, accounts.c.roles, sites.c.name.label("site"))
                .join(sites, sites.c.id == accounts.c.site_id)
                .where(accounts.c.id.in_({row.account for row in rows if row.account}))
            )
        ).all()
    }
    found = []
    for row in rows:
        person = people.get(row.account)
        roles = tuple(person.roles) if person else (row.role,) if row.role else ()
        name, site = (person.name, person.site) if person else ("", "")
        found.append(Look(row.action, name, roles, site, row.times, row.first_ms, row.last_ms))
    return found
