"""Patients over HTTP: registered, found again across scripts, never merged by itself, corrected."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from server.domain.patient import Person, as_json, facts
from server.domain.referral_form import newest
from server.services.demo import CASE_ID
from server.services.demo_referral import PATIENT_ID
from tests.support.referrals import ADULT, CHILD, whole
from tests.support.website import Browser, Website


async def registered(browser: Browser, person: Person) -> dict[str, Any]:
    answer = await browser.post("/api/patients", as_json(person))
    assert answer.status == 201, answer.text
    patient: dict[str, Any] = answer.json
    return patient


async def changed(browser: Browser, patient: dict[str, Any], person: Person, *others: str) -> dict[str, Any]:
    body = {"version": patient["version"], "person": as_json(person), "distinct_from": list(others)}
    answer = await browser.post(f"/api/patients/{patient['id']}", body)
    assert answer.status == 200, answer.text
    made: dict[str, Any] = answer.json
    return made


HANGUL = replace(ADULT, names={"hangul": "누를란 아흐메토프"})


async def test_a_site_operator_registers_and_the_physician_sees_who_is_there_already(site: Website) -> None:
    lo, lp = await site.signed_in("site_operator"), await site.signed_in("referring_physician")
    first = await registered(lo, ADULT)
    assert (first["names"], first["version"], first["alike"]) == (dict(ADULT.names), 1, [])
    assert first["synthetic"] is True, "in a demo nobody is real"
    again = await registered(lp, HANGUL)
    (alike,) = again["alike"]
    assert (alike["id"], alike["sure"], alike["cases"]) == (first["id"], True, 0)
    both = (await lp.post("/api/patients/search", {"name": "Ахметов", "birth_date": ""})).json
    assert {one["id"] for one in both["patients"]} == {first["id"], again["id"]}, "nobody was merged"


async def test_who_was_looked_at_and_is_another_person_is_not_shown_again(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    first, again = await registered(lp, ADULT), await registered(lp, HANGUL)
    said = await changed(lp, again, HANGUL, first["id"], "made-up")
    assert said["alike"] == []
    assert (await lp.get(f"/api/patients/{first['id']}")).json["alike"] == []


async def test_a_draft_does_not_go_out_while_its_patient_may_be_registered_twice(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    first = await registered(lp, ADULT)
    case = (await lp.post("/api/cases", {"specialty": "ent"})).json["id"]
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    made = await changed(lp, draft["patient"], replace(HANGUL, names={"latin": "AHMETOV NURLAN"}))
    answers = whole(newest("ent"), facts(ADULT, date(2026, 11, 26)))
    saved = (
        await lp.post(f"/api/cases/{case}/draft", {"version": 1, "editor": "p", "answers": answers})
    ).json
    assert [(one["question"], one["code"]) for one in saved["problems"] if one["blocks"]] == [
        ("patient.alike", "alike")
    ]
    refused = await lp.post(f"/api/cases/{case}/submit", {"version": saved["version"]})
    assert refused.code == "referral_incomplete"
    chosen = await lp.post(f"/api/cases/{case}/patient", {"patient": first["id"]})
    assert (chosen.json["id"], chosen.json["alike"]) == (first["id"], []), (
        "the other registration is set aside"
    )
    assert (await lp.get(f"/api/patients/{made['id']}")).status == 200, "and stays readable"
    done = await lp.post(f"/api/cases/{case}/submit", {"version": saved["version"]})
    assert (done.status, done.json["number"]) == (201, 1)
    late = await lp.post(f"/api/cases/{case}/patient", {"patient": made["id"]})
    assert late.code == "wrong_state", "what was submitted was about somebody"


async def test_a_case_that_is_not_being_written_gets_no_other_patient(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    first = await registered(lp, ADULT)
    case = (await lp.post("/api/cases", {"specialty": "ent"})).json["id"]
    assert (await lp.post(f"/api/cases/{case}/cancel", {"reason": "mistake"})).status == 200
    assert (await lp.post(f"/api/cases/{case}/patient", {"patient": first["id"]})).code == "wrong_state"
    async with site.database.write() as tx:  # as one of before there were forms
        await tx.exec_driver_sql("DELETE FROM referral_versions")
        await tx.exec_driver_sql("UPDATE cases SET state = 'live'")
    path = f"/api/cases/{CASE_ID}/patient"
    assert (await lp.post(path, {"patient": first["id"]})).code == "wrong_state"


async def test_a_correction_reaches_the_case_and_leaves_what_was_submitted(site: Website) -> None:
    lp, lo = await site.signed_in("referring_physician"), await site.signed_in("site_operator")
    patient = (await lo.get(f"/api/patients/{PATIENT_ID}")).json
    person = Person(
        **{k: patient[k] for k in ("names", "birth_date", "sex", "nationality", "languages", "contact")}
    )
    corrected = await changed(lo, patient, replace(person, names={"latin": "Corrected (synthetic)"}))
    assert corrected["version"] == 2
    assert (await lp.get(f"/api/cases/{CASE_ID}")).json["case"]["patient"]["name"] == "Corrected (synthetic)"
    (version,) = (await lp.get(f"/api/cases/{CASE_ID}/referral")).json["versions"]
    assert version["patient"]["names"]["latin"] == "Synthetic Patient (synthetic)"
    body = {"version": 1, "person": as_json(person)}
    assert (await lp.post(f"/api/patients/{PATIENT_ID}", body)).code == "patient_changed"
    async with site.database.read() as tx:
        rows = (await tx.exec_driver_sql("SELECT version FROM patient_states ORDER BY version")).all()
    assert [row[0] for row in rows] == [1, 2], "both states are kept"


async def test_a_date_written_otherwise_is_kept_and_asked_for_again(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    patient = await registered(lp, replace(ADULT, birth_date="19700504"))
    assert (patient["birth_date"], patient["alike"]) == ("19700504", [])
    found = await lp.post("/api/patients/search", {"name": "", "birth_date": "19700504"})
    assert patient["id"] in {one["id"] for one in found.json["patients"]}
    case = (await lp.post("/api/cases", {"specialty": "ent", "patient": patient["id"]})).json["id"]
    problems = (await lp.get(f"/api/cases/{case}/draft")).json["problems"]
    assert {"question": "patient.birth_date", "code": "not_a_date", "blocks": True} in problems


async def test_a_minors_guardian_is_asked_for(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    child = await registered(lp, replace(CHILD, guardians=()))
    case = (await lp.post("/api/cases", {"specialty": "paediatrics", "patient": child["id"]})).json["id"]
    problems = (await lp.get(f"/api/cases/{case}/draft")).json["problems"]
    assert "patient.guardians" in {one["question"] for one in problems}
    await changed(lp, child, CHILD)
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    assert not [one for one in draft["problems"] if one["question"].startswith("patient.")]
    assert {"companion", "birth"} <= set(draft["asked"])


async def test_patients_of_another_site_are_not_there(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    patient = await registered(lp, ADULT)
    async with site.database.write() as tx:
        await tx.exec_driver_sql("UPDATE accounts SET site_id = 'demo-site-seoul-000'")
    assert (await lp.post("/api/patients/search", {"name": "", "birth_date": ""})).json["patients"] == []
    assert (await lp.get(f"/api/patients/{patient['id']}")).code == "forbidden"
    body = {"version": 1, "person": as_json(ADULT)}
    assert (await lp.post(f"/api/patients/{patient['id']}", body)).code == "forbidden"
    assert (await registered(lp, HANGUL))["alike"] == [], "each site has its own"


async def test_what_is_no_registration_is_refused_without_an_echo(site: Website) -> None:
    lo = await site.signed_in("site_operator")
    wrong: list[dict[str, Any]] = [
        {"names": {"greek": "marked"}},
        {"names": {"latin": "m" * 201}},
        {"names": {"latin": 5}},
        {"birth_date": "marked"},
        {"sex": "marked"},
        {"nationality": "KAZ"},
        {"languages": ["Marked"]},
        {"contact": {"pager": "1"}},
        {"guardians": [{"name": "a"}] * 5},
        {"id": "marked"},
    ]
    for body in wrong:
        answer = await lo.post("/api/patients", body)
        assert (answer.status, answer.code) == (400, "bad_request"), body
        assert "marked" not in answer.text.lower()
    assert (await lo.get("/api/patients/made-up")).code == "not_found"


async def test_searches_and_looks_are_audited_without_a_name(site: Website) -> None:
    lo = await site.signed_in("site_operator")
    patient = await registered(lo, ADULT)
    await lo.post("/api/patients/search", {"name": "Akhmetov", "birth_date": ""})
    await lo.get(f"/api/patients/{patient['id']}")
    async with site.database.read() as tx:
        rows = (await tx.exec_driver_sql("SELECT action, subject_id, detail FROM audit ORDER BY id")).all()
    assert [row[0] for row in rows][-3:] == ["patient_registered", "patients_searched", "patient_read"]
    assert "Akhmetov" not in str(rows)
