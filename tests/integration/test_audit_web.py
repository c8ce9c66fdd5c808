"""The audit over HTTP: one's own entries, a site's sign-ins, a privacy officer's search."""

from __future__ import annotations

from server.services.demo import CASE_ID
from server.services.demo_referral import PATIENT_ID
from server.storage import seen
from tests.support.website import Website

LABEL = "KZ-2026-0001"


async def test_everybody_reads_what_they_did_and_a_privacy_officer_who_saw_a_patient(site: Website) -> None:
    physician = await site.signed_in("referring_physician", "198.51.100.7")
    assert (await physician.get(f"/api/cases/{CASE_ID}")).status == 200
    found = await physician.post("/api/patients/search", {"name": "", "birth_date": ""})
    assert found.json["patients"][0]["id"] == PATIENT_ID
    own = (await physician.get("/api/account/audit")).json
    assert [row["action"] for row in own["entries"]] == ["patients_searched", "case_read", "sign_in"]
    assert own["next"] is None
    look = own["entries"][1]
    assert (look["patient_id"], look["address"], look["subject_type"]) == (PATIENT_ID, "198.51.100.7", "case")
    assert look["account"]["roles"] == ["referring_physician"]

    officer = await site.signed_in("privacy_officer")
    email, _ = site.password("referring_physician")
    asked = {"case": look["case"], "account": email, "action": "case_read"}
    answer = await officer.post("/api/audit/search", asked)
    assert [row["id"] for row in answer.json["entries"]] == [look["id"]]
    assert (await officer.post("/api/audit/search", {"before": look["id"]})).json["entries"][0]["id"] < look[
        "id"
    ]
    assert (await officer.post("/api/audit/search", {"case": "no such"})).code == "not_found"
    for wrong in ({"actions": ""}, {"action": "' OR 1"}, {"before": 0}, {"from_ms": "1"}):
        assert (await officer.post("/api/audit/search", wrong)).code == "bad_request"
    for query in ("0", "x", "-1", str(2**31)):
        assert (await officer.get(f"/api/account/audit?before={query}")).code == "bad_request"
    searched = (await officer.get("/api/account/audit")).json["entries"]
    assert [(row["action"], row["patient_id"]) for row in searched] == [
        ("audit_searched", PATIENT_ID),
        ("sign_in", None),
    ], "whoever looks through the audit is in it"
    async with site.database.read() as tx:
        told = {one.action: one for one in await seen.of_case(tx, CASE_ID, PATIENT_ID, 10)}
    assert told.keys() == {"patients_searched", "case_read"}
    assert (told["case_read"].name, told["case_read"].site) == (
        look["account"]["name"],
        look["account"]["site"],
    )


async def test_a_site_admin_sees_who_signed_in_at_their_site_and_nothing_else(site: Website) -> None:
    await site.signed_in("referring_physician")
    coordinator = await site.signed_in("coordinator")
    assert (await coordinator.get(f"/api/cases/{CASE_ID}")).status == 200
    admin = await site.signed_in("site_admin")
    rows = (await admin.get("/api/audit/logins")).json["entries"]
    assert {row["action"] for row in rows} == {"sign_in"}
    assert {row["account"]["site"] for row in rows} == {rows[0]["account"]["site"]}
    assert {role for row in rows for role in row["account"]["roles"]} == {"coordinator", "site_admin"}
    assert (await admin.post("/api/audit/search", {})).code == "forbidden"
