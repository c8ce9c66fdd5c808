"""Cases and who stands how to them."""

from __future__ import annotations

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.case import Case
from server.domain.people import Account
from server.storage import accounts
from server.storage.schema import accounts as account_rows
from server.storage.schema import case_people, cases, consultations, seats


async def add_case(tx: AsyncConnection, case: Case) -> None:
    await tx.execute(
        insert(cases).values(
            id=case.id,
            label=case.label,
            site_id=case.site_id,
            specialty=case.specialty,
            question=case.question,
            patient=case.patient,
            state=case.state,
            created_ms=case.created_ms,
        )
    )


async def add_person(tx: AsyncConnection, case_id: str, account_id: str, relation: str) -> None:
    await tx.execute(insert(case_people).values(case_id=case_id, account_id=account_id, relation=relation))


async def by_id(tx: AsyncConnection, case_id: str) -> Case | None:
    row = (await tx.execute(select(cases).where(cases.c.id == case_id))).one_or_none()
    return None if row is None else Case(**row._mapping)


async def all_by_id(tx: AsyncConnection, case_ids: set[str]) -> dict[str, Case]:
    rows = (await tx.execute(select(cases).where(cases.c.id.in_(case_ids)))).all()
    return {row.id: Case(**row._mapping) for row in rows}


async def in_states(tx: AsyncConnection, states: set[str]) -> list[Case]:
    rows = (await tx.execute(select(cases).where(cases.c.state.in_(states)))).all()
    return [Case(**row._mapping) for row in rows]


async def labels(tx: AsyncConnection) -> list[tuple[str, str, str, str]]:
    """(id, label, site, state) of every case, the newest first; nothing of the patient."""
    query = select(cases.c.id, cases.c.label, cases.c.site_id, cases.c.state)
    rows = (await tx.execute(query.order_by(cases.c.created_ms.desc(), cases.c.id))).all()
    return [(row.id, row.label, row.site_id, row.state) for row in rows]


async def id_of_label(tx: AsyncConnection, label: str) -> str | None:
    """Of the one case that is called so; None when there is none, or several."""
    found = (
        (await tx.execute(select(cases.c.id).where(cases.c.label == label.strip()).limit(2))).scalars().all()
    )
    return found[0] if len(found) == 1 else None


async def relations_of(tx: AsyncConnection, account_id: str) -> dict[str, set[str]]:
    """Case id → how this account is named on it."""
    query = select(case_people.c.case_id, case_people.c.relation).where(
        case_people.c.account_id == account_id
    )
    found: dict[str, set[str]] = {}
    for case_id, relation in (await tx.execute(query)).all():
        found.setdefault(case_id, set()).add(relation)
    return found


async def invited(tx: AsyncConnection, case_id: str) -> list[Account]:
    """Who is named on the case as invited and has an account that may sign in, in the order of their ids."""
    query = (
        select(case_people.c.account_id)
        .where(case_people.c.case_id == case_id, case_people.c.relation == "invited")
        .order_by(case_people.c.account_id)
    )
    found = await accounts.by_ids(tx, (await tx.execute(query)).scalars().all())
    return [account for account in found if not account.disabled]


async def joined_by(tx: AsyncConnection, pair: tuple[str, str]) -> list[str]:
    """Cases of the first site to which somebody of the second is invited, or where they sit."""
    invited = (
        select(case_people.c.case_id)
        .join(account_rows, account_rows.c.id == case_people.c.account_id)
        .where(case_people.c.relation == "invited", account_rows.c.site_id == pair[1])
    )
    sat = (
        select(consultations.c.case_id)
        .join(seats, seats.c.consultation_id == consultations.c.id)
        .where(seats.c.site_id == pair[1])
    )
    query = select(cases.c.id).where(
        cases.c.site_id == pair[0], or_(cases.c.id.in_(invited), cases.c.id.in_(sat))
    )
    return list((await tx.execute(query.order_by(cases.c.id))).scalars())


async def pairs_of_sites(tx: AsyncConnection) -> set[tuple[str, str]]:
    """(site of a case, site of somebody who is invited to it), each once."""
    query = (
        select(cases.c.site_id, account_rows.c.site_id)
        .join(case_people, case_people.c.case_id == cases.c.id)
        .join(account_rows, account_rows.c.id == case_people.c.account_id)
        .where(case_people.c.relation == "invited")
        .distinct()
    )
    return {(row[0], row[1]) for row in (await tx.execute(query)).all()}
