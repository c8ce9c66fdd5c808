"""Proposing a hospital and deciding on one over HTTP, the departments, and the file they come from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from server.domain.matching.rules import standard
from server.services.context import NoRooms
from server.services.demo import ALMATY, CASE_ID, SEOUL
from server.storage import audit as chain
from server.storage import cases as books
from server.storage.schema import case_people, cases
from server.storage.schema_audit import audit
from server.storage.schema_casework import case_events, referral_versions
from tests.support.demo import TOP
from tests.support.website import Browser, Website

MATCH = f"/api/cases/{CASE_ID}/match"
WHOLE = (
    "Right knee, gives way. ACL tear and torn meniscus after a fall 6 weeks ago. MRI 2026-11-02. "
    "Is arthroscopic reconstruction indicated?"
)
WIDE = TOP / "server/services/programmes/twenty_centres.toml"


async def ask(site: Website, question: str) -> None:
    async with site.database.write() as tx:
        # As a case of before there were forms: its question is all there is.
        await tx.execute(referral_versions.delete().where(referral_versions.c.case_id == CASE_ID))
        await tx.execute(cases.update().where(cases.c.id == CASE_ID).values(question=question))


async def proposed(site: Website, browser: Browser, question: str = WHOLE) -> dict[str, Any]:
    await ask(site, question)
    answer = await browser.post(MATCH, {})
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json["proposal"]
    return found


async def actions(site: Website) -> list[Any]:
    async with site.database.read() as tx:
        assert await chain.first_broken(tx) is None
        return list((await tx.execute(audit.select().where(audit.c.subject_type == "match"))).all())


async def test_a_coordinator_is_shown_departments_with_reasons_and_takes_the_first(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    assert (await browser.get(MATCH)).json["proposal"] is None
    made = await proposed(site, browser)
    first = made["ranked"][0]
    assert first["place"] == "orthopaedics/sports"
    assert first["hospital_id"] == SEOUL
    messages = {reason["message"] for reason in first["reasons"]}
    assert {"match-reason-condition", "match-reason-sub-specialty", "match-reason-load"} <= messages
    assert made["missing"] == []
    chosen = {"department": first["department"], "physician": first["physician"]["id"]}
    told = (await browser.post(f"{MATCH}/{made['id']}", chosen)).json
    assert told["decided"]["department"] == first["department"]
    assert told["decided"]["why"] is None
    assert told["proposal"]["decided"] is True
    rows = await actions(site)
    assert [row.action for row in rows] == ["match_proposed", "match_accepted"]
    assert rows[-1].case_id == CASE_ID
    assert rows[-1].detail["rank"] == 1


async def test_a_submitted_form_is_read_and_the_decision_moves_the_case_on(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    async with site.database.write() as tx:
        await tx.execute(cases.update().where(cases.c.id == CASE_ID).values(state="submitted"))
    made = (await browser.post(MATCH, {})).json["proposal"]
    assert (made["missing"], made["places"][0]["place"]) == ([], "orthopaedics/sports")
    chosen = {"department": made["ranked"][0]["department"], "physician": "demo-department-01-p1"}
    assert (await browser.post(f"{MATCH}/{made['id']}", chosen)).status == 200
    async with site.database.read() as tx:
        case = await books.by_id(tx, CASE_ID)
        events = (await tx.execute(case_events.select().order_by(case_events.c.id))).all()
    assert case is not None
    assert (case.state, events[-1].move, events[-1].role) == ("matched", "match", "coordinator")


@pytest.mark.parametrize("state", ["draft", "returned", "live", "closed"])
async def test_no_hospital_is_decided_on_for_a_case_that_is_not_at_that_point(
    site: Website, state: str
) -> None:
    browser = await site.signed_in("coordinator")
    made = await proposed(site, browser)
    async with site.database.write() as tx:
        await tx.execute(cases.update().where(cases.c.id == CASE_ID).values(state=state))
    choice = {"department": made["ranked"][0]["department"]}
    told = "not_found" if state == "draft" else "wrong_state"  # a draft is its own site's
    assert (await browser.post(f"{MATCH}/{made['id']}", choice)).code == told


async def test_another_than_the_first_needs_a_reason_and_is_audited_as_an_override(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    made = await proposed(site, browser)
    other = made["ranked"][1]["department"]
    path = f"{MATCH}/{made['id']}"
    assert (await browser.post(path, {"department": other})).code == "match_reason"
    assert (await browser.post(path, {"department": other, "why": "other"})).code == "match_reason"
    assert (await browser.post(path, {"department": other, "why": "weather"})).code == "bad_request"
    told = await browser.post(
        path, {"department": other, "why": "patient_wish", "note": " wishes\u202e it\n"}
    )
    assert told.status == 200
    assert (told.json["decided"]["why"], told.json["decided"]["note"]) == ("patient_wish", "wishes it")
    assert (await browser.post(path, {"department": other, "why": "cost"})).code == "match_decided"
    last = (await actions(site))[-1]
    assert (last.action, last.detail["why"], last.detail["rank"]) == ("match_overridden", "patient_wish", 2)
    assert "wishes" not in str(last.detail)


async def test_a_department_outside_the_list_may_be_chosen_but_none_that_is_not_there(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    made = await proposed(site, browser)
    path = f"{MATCH}/{made['id']}"
    unknown = {"department": "none", "why": "expertise"}
    assert (await browser.post(path, unknown)).code == "bad_request"
    stranger = {"department": "demo-department-08", "why": "expertise", "physician": "demo-department-07-p1"}
    assert (await browser.post(path, stranger)).code == "bad_request"
    told = await browser.post(path, {"department": "demo-department-08", "why": "expertise"})
    assert told.json["decided"]["department"] == "demo-department-08"


async def test_an_incomplete_referral_is_passed_on_by_nobody(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    made = await proposed(site, browser, "ACL tear of the knee")
    assert set(made["missing"]) == {"course", "evidence", "question"}
    assert made["places"][0]["place"] == "orthopaedics/sports"
    choice = {"department": made["ranked"][0]["department"]}
    assert (await browser.post(f"{MATCH}/{made['id']}", choice)).code == "match_missing"
    assert (await proposed(site, browser, "pain"))["ranked"] == []


async def test_a_referral_that_changed_asks_for_a_new_proposal(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    made = await proposed(site, browser)
    await ask(site, WHOLE + " Also diabetes.")
    assert (await browser.get(MATCH)).json["proposal"]["outdated"] is True
    choice = {"department": made["ranked"][0]["department"]}
    assert (await browser.post(f"{MATCH}/{made['id']}", choice)).code == "match_changed"
    again = (await browser.post(MATCH, {})).json["proposal"]
    assert (await browser.post(f"{MATCH}/{made['id']}", choice)).code == "match_changed"
    assert (await browser.post(f"{MATCH}/{again['id']}", choice)).status == 200


async def test_what_was_decided_counts_as_load_and_as_an_earlier_case(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    made = await proposed(site, browser)
    first = made["ranked"][0]["department"]
    await browser.post(f"{MATCH}/{made['id']}", {"department": first})
    again = (await browser.post(MATCH, {})).json["proposal"]["ranked"][0]
    reasons = {reason["message"]: reason for reason in again["reasons"]}
    assert reasons["match-reason-load"]["args"]["open"] == 1
    assert "match-reason-seen-patient" in reasons
    listed = (await browser.get("/api/departments")).json["departments"]
    assert next(row["open"] for row in listed if row["id"] == first) == 1


async def test_the_patients_wish_is_a_reason_and_an_unknown_hospital_is_refused(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    await ask(site, WHOLE)
    wished = (await browser.post(MATCH, {"preference": "demo-hospital-07"})).json["proposal"]["ranked"]
    row = next(one for one in wished if one["hospital_id"] == "demo-hospital-07")
    assert any(reason["message"] == "match-reason-preference" for reason in row["reasons"])
    assert (await browser.post(MATCH, {"preference": "nowhere"})).code == "bad_request"


class Told(NoRooms):
    """Which rooms are told to ask anew."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def told(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        self.asked += [room] if event == "asked" else []


async def test_a_physician_with_an_account_is_invited_to_the_case(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    async with site.database.write() as tx:
        await tx.execute(case_people.delete().where(case_people.c.relation == "invited"))
    made = await proposed(site, browser)
    rooms = site.services.context.live = Told()
    chosen = {"department": made["ranked"][0]["department"], "physician": "demo-department-01-p1"}
    assert (await browser.post(f"{MATCH}/{made['id']}", chosen)).status == 200
    assert rooms.asked == [site.table.consultation_id], "who waits there learns who receives the data now"
    physician = await site.signed_in("consulting_physician")
    assert (await physician.get(f"/api/cases/{CASE_ID}")).status == 200
    async with site.database.read() as tx:
        me = (await physician.get("/api/me")).json["account"]["id"]
        assert (await books.relations_of(tx, me))[CASE_ID] == {"invited"}


@pytest.mark.parametrize(
    "role", ["referring_physician", "consulting_physician", "interpreter", "reviewer", "privacy_officer"]
)
async def test_nobody_but_a_coordinator_proposes_decides_or_changes_departments(
    site: Website, role: str
) -> None:
    browser = await site.signed_in(role)
    assert (await browser.get(MATCH)).code == "forbidden"
    assert (await browser.post(MATCH, {})).code == "forbidden"
    assert (await browser.post(f"{MATCH}/any", {"department": "any"})).code == "forbidden"
    assert (await browser.get("/api/departments")).code == "forbidden"
    assert (await browser.post("/api/departments", {})).code == "forbidden"


async def test_a_department_and_a_physician_are_a_form(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    form = {
        "hospital": SEOUL,
        "name": "Hands (synthetic)",
        "specialty": "orthopaedics",
        "places": ["orthopaedics/hand"],
        "languages": ["ko", "ru"],
        "monthly": 4,
    }
    made = await browser.post("/api/departments", form)
    assert made.status == 201
    path = f"/api/departments/{made.json['id']}"
    person = {"name": "Physician H-1 (synthetic)", "languages": ["ko"]}
    added = await browser.post(f"{path}/physicians", person)
    assert added.status == 201
    listed = {row["id"]: row for row in (await browser.get("/api/departments")).json["departments"]}
    assert [one["name"] for one in listed[made.json["id"]]["physicians"]] == ["Physician H-1 (synthetic)"]
    hand = "Trigger finger for 3 years, X-ray 2026-11-01. Release possible?"
    assert made.json["id"] in {row["department"] for row in (await proposed(site, browser, hand))["ranked"]}
    assert (await browser.post(path, {**form, "closed": True})).status == 200
    assert made.json["id"] not in {
        row["department"] for row in (await proposed(site, browser, hand))["ranked"]
    }
    gone = f"{path}/physicians/{added.json['id']}"
    assert (await browser.post(f"{gone}/remove")).status == 204
    assert (await browser.post(f"{gone}/remove")).code == "not_found"
    assert (await browser.post(gone, person)).code == "not_found"
    for wrong in (
        {"places": ["x/y"]},
        {"hospital": "none"},
        {"monthly": 0},
        {"languages": []},
        {"name": " "},
    ):
        assert (await browser.post("/api/departments", {**form, **wrong})).code == "bad_request", wrong
    for wrong in ({"account": "nobody@demo.invalid"}, {"account": "coordinator@demo.invalid"}):
        assert (await browser.post(f"{path}/physicians", {**person, **wrong})).code == "bad_request", wrong
    assert (await browser.post("/api/departments/none", form)).code == "not_found"


async def test_a_coordinator_reads_the_rules(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    told = (await browser.get("/api/matching/rules/orthopaedics")).json
    assert told["digest"] == standard().digest
    hand = next(row for row in told["places"] if row["place"] == "orthopaedics/hand")
    assert "carpal tunnel" in hand["terms"]["sure"]
    assert (await browser.get("/api/matching/rules/alchemy")).code == "not_found"


async def test_nothing_of_the_referrals_words_is_kept_with_a_proposal(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    made = await proposed(site, browser, WHOLE + " MARKEDWORD lives in MARKEDTOWN.")
    assert "marked" not in str(made).lower()


def run(site: Website, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server", "programme", *more, "--data", str(site.settings.data_dir)]
    return subprocess.run(command, capture_output=True, text=True, cwd=TOP)


async def test_a_programme_of_twenty_centres_is_loaded_from_a_file_twice_alike(
    site: Website, tmp_path: Path
) -> None:
    for _ in range(2):
        done = run(site, "load", str(WIDE))
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "26 sites, 94 people, 24 departments, 48 physicians"
    browser = await site.signed_in("coordinator")
    rows = (await browser.get("/api/departments")).json["departments"]
    assert len(rows) == 12 + 24
    assert all(row["synthetic"] for row in rows)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(WIDE.read_text().replace('"Asia/Hovd"', '"Asia/Nowhere"'))
    refused = run(site, "load", str(wrong))
    assert (refused.returncode, "there is no time zone Asia/Nowhere" in refused.stderr) == (2, True)
    assert ALMATY not in {row["hospital_id"] for row in rows}
