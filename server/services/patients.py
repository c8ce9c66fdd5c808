"""Patients of a site: registered, corrected, found, and those who may be registered twice shown to somebody.

Nobody is merged here. That two registrations are one person, or two, is said by a person; both stay readable.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from server.domain.errors import Refused
from server.domain.life import UNMET
from server.domain.names import alike, sounds
from server.domain.patient import Alike, Patient, Person, as_json, cleaned, found_alike, near_dates
from server.domain.people import Account
from server.domain.trail import PATIENTS_SEARCHED, SHOWN
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.looks import Looks
from server.storage import audit, cases, patients, referrals
from server.storage.database import Transaction
from server.storage.ids import new_id

LISTED = 50
SEARCHED = 20_000
"""Patients of one site that a search goes through."""
MAX_DISTINCT = 100


class Patients:
    def __init__(self, context: Context, attempts: Attempts, looks: Looks) -> None:
        self._context = context
        self._attempts = attempts
        self._looks = looks

    async def register(self, account: Account, person: Person, address: str) -> dict[str, Any]:
        """At the account's own site, as far as it is known yet."""
        await self._attempts.save("patient", account.id)
        async with self._context.database.write() as tx:
            patient = await registered(tx, self._context, account, person, address)
            told = await patient_told(tx, patient)
        return await self._shown(account, told, address)

    async def read(self, account: Account, patient_id: str, address: str) -> dict[str, Any]:
        """The look is audited. Raises Refused `not_found`."""
        async with self._context.database.write() as tx:
            patient = await _required(tx, patient_id)
            await _noted(tx, self._context, account, "patient_read", patient, address)
            told = await patient_told(tx, patient)
        return await self._shown(account, told, address)

    async def change(
        self,
        account: Account,
        patient_id: str,
        version: int,
        person: Person,
        distinct_from: list[str],
        address: str,
    ) -> dict[str, Any]:
        """`distinct_from`: patients who were looked at and are others. Raises Refused `patient_changed`."""
        await self._attempts.save("patient", account.id)
        async with self._context.database.write() as tx:
            before = await _required(tx, patient_id)
            if before.version != version:
                raise Refused("patient_changed")
            there = await patients.ids_of_site(tx, before.site_id, distinct_from)
            known = [one for one in distinct_from if one in there]
            others = tuple(dict.fromkeys([*before.distinct_from, *known]))[-MAX_DISTINCT:]
            made = cleaned(person)
            after = replace(before, person=made, distinct_from=others)
            if after != before:
                after = replace(after, version=version + 1, changed_ms=self._context.now_ms())
                if not await patients.replace(tx, after, account.id):
                    raise Refused("patient_changed")
                await _noted(tx, self._context, account, "patient_changed", after, address)
            told = await patient_told(tx, after)
        return await self._shown(account, told, address)

    async def _shown(self, account: Account, told: dict[str, Any], address: str) -> dict[str, Any]:
        """With those who may be the same person: they were looked at as well."""
        await self._looks.listed(account, [one["id"] for one in told["alike"]], address)
        return told

    async def search(self, account: Account, name: str, birth_date: str, address: str) -> dict[str, Any]:
        """`{patients}` of the account's site: by name in any script, by date of birth, or the last ones."""
        wanted, days = sounds(name), near_dates(birth_date)
        async with self._context.database.write() as tx:
            found = []
            for patient in await patients.of_site(tx, account.site_id, SEARCHED):
                named = max((alike(wanted, sounds(one)) for one in patient.person.names.values()), default=0)
                by_day = patient.person.birth_date in days
                if (not wanted or named or by_day) and (not days or by_day or named == 2):
                    found.append((-named, not by_day, patient))
            found.sort(key=lambda row: row[:2])
            listed = [row[2] for row in found[:LISTED]]
            detail: dict[str, int | str] = {
                "found": len(found),
                SHOWN: " ".join(patient.id for patient in listed),
            }
            entry = audit.Entry(
                PATIENTS_SEARCHED, "site", account.site_id, address, account_id=account.id, detail=detail
            )
            await audit.append(tx, self._context.now_ms(), entry)
            return {"patients": [short(patient) for patient in listed], "found": len(found)}

    async def put_in_case(
        self, account: Account, case_id: str, patient_id: str, address: str
    ) -> dict[str, Any]:
        """The draft is about somebody registered before; what was registered for it is set aside.

        Raises Refused `not_found`, `wrong_state` once a version was submitted, or while none can be written.
        """
        async with self._context.database.write() as tx:
            case = await cases.by_id(tx, case_id)
            patient = await _required(tx, patient_id)
            if case is None or patient.site_id != case.site_id:
                raise Refused("not_found")
            if case.state not in UNMET or await referrals.newest(tx, case_id) is not None:
                raise Refused("wrong_state")
            before = await patients.of_case(tx, case_id)
            await patients.put_in_case(tx, case_id, patient)
            if before and before.id != patient.id and not await patients.case_counts(tx, {before.id}):
                await patients.set_aside(tx, before.id, patient.id)
            await _noted(tx, self._context, account, "case_patient_chosen", patient, address, case_id)
            told = await patient_told(tx, patient)
        return await self._shown(account, told, address)


async def registered(
    tx: Transaction, context: Context, account: Account, person: Person, address: str
) -> Patient:
    now_ms = context.now_ms()
    made = Patient(new_id(), account.site_id, 1, cleaned(person), (), context.settings.demo, now_ms, now_ms)
    await patients.add(tx, made, account.id)
    await _noted(tx, context, account, "patient_registered", made, address)
    return made


async def alike_to(tx: Transaction, patient: Patient) -> list[Alike]:
    """Those of the site who may be the same person."""
    others = await patients.born_about(tx, patient.site_id, patient.person.birth_date)
    return found_alike(patient, others)


async def patient_told(tx: Transaction, patient: Patient, found: list[Alike] | None = None) -> dict[str, Any]:
    """The registration with those of the site who may be the same person; `found`, when they are known."""
    found = await alike_to(tx, patient) if found is None else found
    counts = await patients.case_counts(tx, {one.patient.id for one in found})
    return {
        "id": patient.id,
        "version": patient.version,
        **as_json(patient.person),
        "synthetic": patient.synthetic,
        "alike": [
            {**short(one.patient), "sure": one.sure, "cases": counts.get(one.patient.id, 0)} for one in found
        ],
    }


def short(patient: Patient) -> dict[str, Any]:
    """A line of a list at the patient's own site."""
    person = patient.person
    return {
        "id": patient.id,
        "names": dict(person.names),
        "birth_date": person.birth_date,
        "sex": person.sex,
        "nationality": person.nationality,
    }


async def _required(tx: Transaction, patient_id: str) -> Patient:
    patient = await patients.by_id(tx, patient_id)
    if patient is None:
        raise Refused("not_found")
    return patient


async def _noted(
    tx: Transaction,
    context: Context,
    account: Account,
    action: str,
    patient: Patient,
    address: str,
    case_id: str | None = None,
) -> None:
    """Ids and the version only; what stood there is in the patient's states."""
    entry = audit.Entry(
        action,
        "patient",
        patient.id,
        address,
        account_id=account.id,
        case_id=case_id,
        detail={"version": patient.version},
    )
    await audit.append(tx, context.now_ms(), entry)
