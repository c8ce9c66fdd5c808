"""The demo case's patient and referral: a whole form, marked synthetic, as if submitted in the usual way."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from server.domain.patient import Patient, Person, as_json
from server.domain.referral import Answer
from server.domain.referral_form import newest
from server.services.referrals import fingerprint
from server.storage import patients, referrals
from server.storage.database import Transaction
from server.storage.referrals import Event, Version

PATIENT_ID: Final = "demo-patient-00000001"
PERSON: Final = Person(
    names={"latin": "Synthetic Patient (synthetic)", "cyrillic": "Пациент Синтетический (synthetic)"},
    birth_date="1968-04-12",
    sex="female",
    nationality="KZ",
    languages=("ru", "kk"),
    contact={"phone": "+7 000 000 0009"},
)
ANSWERS: Final[dict[str, Answer]] = {
    "question": "Synthetic case for demonstration. Right knee, 6 weeks after a fall: is arthroscopy "
    "indicated, and what should be prepared before travel?",
    "wish": "video",
    "urgency": "month",
    "diagnosis": "Suspected tear of the medial meniscus, right knee (synthetic)",
    "icd10": "S83.2",
    "onset": "6 weeks ago, after a fall on stairs",
    "history": "Twisted the right knee on stairs, swelling within hours, locking since. Walks with a stick. "
    "No earlier trouble with this knee. Everything here is invented.",
    "treatment": "Ibuprofen, ice and a brace for 4 weeks; swelling is less, locking is not.",
    "region": "knee",
    "side": "right",
    "injury": "yes",
    "injury_date": "2026-10-10",
    "red_flags": ["none"],
    "pain": "6",
    "function": "Cannot squat or climb stairs, sleeps badly on the right side.",
    "conservative": "Brace and exercises for 4 weeks",
    "implants": "no",
    "imaging_kinds": ["xray", "mri"],
    "imaging_date": "2026-11-02",
    "imaging_findings": "MRI: tear of the posterior horn of the medial meniscus, effusion; no fracture.",
    "allergy": "none",
    "takes_medicines": "yes",
    "medicines": "amlodipine 5 mg once daily",
    "infection": ["not_tested"],
    "other_illness": "yes",
    "other_illness_which": "Hypertension since 2015",
    "mobility": "help",
    "own_words": "I want to walk with my grandchildren again. I fear the flight more than the knee.",
    "preference": "A woman interpreter, if there is one.",
}


async def ensure(tx: Transaction, case_id: str, site_id: str, account_id: str, now_ms: int) -> None:
    """Registers the patient and the first version of the referral, once."""
    if await patients.by_id(tx, PATIENT_ID) is not None:
        return
    patient = Patient(PATIENT_ID, site_id, 1, PERSON, (), True, now_ms, now_ms)
    await patients.add(tx, patient, account_id)
    await patients.put_in_case(tx, case_id, patient)
    form = newest("orthopaedics")
    person = as_json(PERSON)
    made = Version(case_id, 1, form.id, form.sha256, ANSWERS, person, PATIENT_ID, 1, "", account_id, now_ms)
    await referrals.add_version(tx, replace(made, sha256=fingerprint(made)))
    role = "referring_physician"
    await referrals.add_event(
        tx, Event(case_id, now_ms, "submit", "draft", "submitted", role, account_id, number=1)
    )
