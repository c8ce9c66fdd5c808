"""Patients of a site, every state of their registration, and which case is about whom."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from server.domain.patient import Patient, as_json, from_json, near_dates, summary
from server.storage.database import Transaction
from server.storage.schema import cases
from server.storage.schema_casework import case_patients, patient_states, patients


async def by_id(tx: Transaction, patient_id: str) -> Patient | None:
    row = (await tx.execute(select(patients).where(patients.c.id == patient_id))).one_or_none()
    return None if row is None else _patient(row)


async def of_case(tx: Transaction, case_id: str) -> Patient | None:
    query = select(patients).join(case_patients, case_patients.c.patient_id == patients.c.id)
    row = (await tx.execute(query.where(case_patients.c.case_id == case_id))).one_or_none()
    return None if row is None else _patient(row)


async def ids_of_cases(tx: Transaction, case_ids: Collection[str]) -> dict[str, str]:
    """Case → its patient; without the cases that have none yet."""
    query = select(case_patients.c.case_id, case_patients.c.patient_id)
    rows = (await tx.execute(query.where(case_patients.c.case_id.in_(set(case_ids))))).all()
    return {row.case_id: row.patient_id for row in rows}


async def of_site(tx: Transaction, site_id: str, most: int) -> list[Patient]:
    """The last changed first."""
    query = (
        select(patients)
        .where(patients.c.site_id == site_id, patients.c.replaced_by.is_(None))
        .order_by(patients.c.changed_ms.desc())
        .limit(most)
    )
    return [_patient(row) for row in (await tx.execute(query)).all()]


async def ids_of_site(tx: Transaction, site_id: str, patient_ids: Collection[str]) -> set[str]:
    """Which of these are patients of the site."""
    query = select(patients.c.id).where(patients.c.site_id == site_id, patients.c.id.in_(patient_ids))
    return set((await tx.execute(query)).scalars())


async def born_about(tx: Transaction, site_id: str, birth_date: str) -> list[Patient]:
    """Those of the site whose date of birth is this one, or this one mistyped."""
    query = select(patients).where(
        patients.c.site_id == site_id,
        patients.c.replaced_by.is_(None),
        patients.c.birth_date.in_(near_dates(birth_date)),
    )
    return [_patient(row) for row in (await tx.execute(query)).all()]


async def add(tx: Transaction, patient: Patient, account_id: str | None) -> None:
    await tx.execute(
        insert(patients).values(
            id=patient.id,
            site_id=patient.site_id,
            synthetic=patient.synthetic,
            created_ms=patient.created_ms,
            **_values(patient),
        )
    )
    await _remember(tx, patient, account_id)


async def replace(tx: Transaction, patient: Patient, account_id: str) -> bool:
    """In place of the version before, in its cases too; False when that one is no longer there."""
    done = await tx.execute(
        update(patients)
        .where(patients.c.id == patient.id, patients.c.version == patient.version - 1)
        .values(**_values(patient))
    )
    if done.rowcount != 1:
        return False
    await _remember(tx, patient, account_id)
    about = select(case_patients.c.case_id).where(case_patients.c.patient_id == patient.id)
    await tx.execute(update(cases).where(cases.c.id.in_(about)).values(patient=summary(patient)))
    return True


async def put_in_case(tx: Transaction, case_id: str, patient: Patient) -> None:
    """The case is about this patient from now on."""
    await tx.execute(delete(case_patients).where(case_patients.c.case_id == case_id))
    await tx.execute(insert(case_patients).values(case_id=case_id, patient_id=patient.id))
    await tx.execute(update(cases).where(cases.c.id == case_id).values(patient=summary(patient)))


async def set_aside(tx: Transaction, patient_id: str, for_patient: str) -> None:
    """Registered twice: lists show the other one from now on; what stood here is kept."""
    await tx.execute(update(patients).where(patients.c.id == patient_id).values(replaced_by=for_patient))


async def case_counts(tx: Transaction, patient_ids: Collection[str]) -> dict[str, int]:
    """How many cases are about each of them; who has none is not in it."""
    who = case_patients.c.patient_id
    query = select(who, func.count()).where(who.in_(patient_ids)).group_by(who)
    return {row[0]: row[1] for row in (await tx.execute(query)).all()}


async def _remember(tx: Transaction, patient: Patient, account_id: str | None) -> None:
    await tx.execute(
        insert(patient_states).values(
            patient_id=patient.id,
            version=patient.version,
            person=as_json(patient.person),
            account_id=account_id,
            at_ms=patient.changed_ms,
        )
    )


def _values(patient: Patient) -> dict[str, Any]:
    return {
        "version": patient.version,
        "birth_date": patient.person.birth_date,
        "person": as_json(patient.person),
        "distinct_from": list(patient.distinct_from),
        "changed_ms": patient.changed_ms,
    }


def _patient(row: Row[Any]) -> Patient:
    return Patient(
        row.id,
        row.site_id,
        row.version,
        from_json(row.person),
        tuple(row.distinct_from),
        row.synthetic,
        row.created_ms,
        row.changed_ms,
    )
