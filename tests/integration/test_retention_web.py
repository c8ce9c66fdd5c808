"""Keeping and destroying over HTTP: who is shown what, a withdrawal, a hold, a receipt."""

from __future__ import annotations

import json

from server.services.demo import CASE_ID
from server.storage import destructions
from tests.support.website import Website

REASON = {"reason": "consent_withdrawn"}


async def recorded(site: Website) -> str:
    rooms, room = site.services.rooms, site.table.consultation_id
    session = await rooms.open_session(room, site.clock())
    await rooms.end_session(room, session.id, "ended", site.clock())
    await site.services.retention.reckon()
    return session.id


async def test_each_seat_is_withdrawn_by_its_own_or_by_the_physician_of_its_site(site: Website) -> None:
    recording = await recorded(site)
    may: dict[str, set[str]] = {}
    for role in ("referring_physician", "consulting_physician", "reviewer", "coordinator", "privacy_officer"):
        answer = await (await site.signed_in(role)).get(f"/api/cases/{CASE_ID}/retention")
        assert answer.status == 200, role
        (kept,) = answer.json["recordings"]
        may[role] = {seat["role"] for seat in kept["seats"] if seat["may_withdraw"]}
        assert set(kept["zones"]) == {"Asia/Almaty", "Asia/Seoul"}
    own = {"referring_physician", "consulting_physician"}
    assert may == {role: {role} if role in own else set() for role in may}
    seat = site.seat("consulting_physician")[0]
    path = f"/api/recordings/{recording}/seats/{seat}/withdraw"
    assert (await (await site.signed_in("referring_physician")).post(path, REASON)).code == "forbidden"
    chair = await site.signed_in("consulting_physician")
    assert (await chair.post(path, REASON)).json == {"state": "requested"}
    assert (await chair.post(path, REASON)).code == "withdrawn_already"
    async with site.database.read() as tx:
        row = await destructions.get(tx, recording, seat)
    assert row is not None
    assert not row.on_behalf


async def test_a_seat_of_another_consultation_or_recording_is_not_found(site: Website) -> None:
    await recorded(site)
    seat = site.seat("consulting_physician")[0]
    chair = await site.signed_in("consulting_physician")
    assert (await chair.post(f"/api/recordings/unknown/seats/{seat}/withdraw", REASON)).code == "not_found"
    wrong = await chair.post(f"/api/recordings/unknown/seats/{seat}/withdraw", {"reason": 1})
    assert wrong.code == "bad_request"


async def test_an_interpreter_withdraws_their_own_seat_although_they_see_no_case(site: Website) -> None:
    recording = await recorded(site)
    browser = await site.signed_in("interpreter")
    seat = site.seat("interpreter")[0]
    assert (await browser.get(f"/api/cases/{CASE_ID}")).code == "forbidden"
    answer = await browser.post(f"/api/recordings/{recording}/seats/{seat}/withdraw", REASON)
    assert answer.status == 202


async def test_the_officer_holds_and_lifts_and_the_case_page_says_so(site: Website) -> None:
    await recorded(site)
    officer, physician = await site.signed_in("privacy_officer"), await site.signed_in("referring_physician")
    made = await officer.post(f"/api/cases/{CASE_ID}/hold", {"reason": "authority"})
    assert made.status == 201
    assert (await physician.get(f"/api/cases/{CASE_ID}/retention")).json["hold"]["reason"] == "authority"
    (row,) = (await officer.get("/api/retention")).json["holds"]
    assert row["case_label"] == "DEMO-0001"
    lift = f"/api/holds/{made.json['hold']}/lift"
    assert (await officer.post(lift, {"reason": "because"})).code == "bad_request"
    assert (await officer.post(lift, {"reason": "settled"})).status == 204
    assert (await officer.post(lift, {"reason": "settled"})).code == "not_held"
    assert (await physician.get(f"/api/cases/{CASE_ID}/retention")).json["hold"] is None


async def test_the_officer_sees_what_a_class_would_mean_and_changes_it_with_a_reason(site: Website) -> None:
    recording = await recorded(site)
    officer, coordinator = await site.signed_in("privacy_officer"), await site.signed_in("coordinator")
    path = f"/api/cases/{CASE_ID}/periods"
    (before,) = (await coordinator.get(path)).json["recordings"]
    promised = {row["name"]: row["kept_until_ms"] for row in before["classes"]}
    assert (before["class"], promised["consultation"]) == ("consultation", before["kept_until_ms"])
    assert [row["years"] for row in before["extensions"]] == [1, 2, 3, 4, 5]
    classed, longer = f"/api/recordings/{recording}/class", f"/api/recordings/{recording}/extend"
    good = {"name": "chart", "reason": "content"}
    for refused in ({"name": "chart"}, good | {"reason": "because"}, good | {"name": "x"}):
        assert (await officer.post(classed, refused)).code == "bad_request"
    assert (await coordinator.post(classed, good)).code == "forbidden"
    made = await officer.post(classed, good)
    assert made.json["kept_until_ms"] == promised["chart"]
    (now,) = (await coordinator.get(path)).json["recordings"]
    treated = {"years": 2, "reason": "continued_treatment"}
    assert (await officer.post(longer, treated | {"reason": "content"})).code == "bad_request"
    more = await officer.post(longer, treated)
    assert more.json["kept_until_ms"] == now["extensions"][1]["kept_until_ms"] > promised["chart"]
    assert (await officer.post(longer, treated)).code == "extension_spent"
    (after,) = (await coordinator.get(path)).json["recordings"]
    assert (after["class"], after["extended_years"], after["extensions"]) == ("chart", 2, [])
    async with site.database.read() as tx:
        rows = (await tx.exec_driver_sql("SELECT action, detail FROM audit ORDER BY id")).all()
    told = {row[0]: json.loads(row[1]) for row in rows if row[0].startswith("retention_")}
    assert told == {
        "retention_classed": {"class": "chart", "before": "consultation", "reason": "content"},
        "retention_extended": {"years": 2, "reason": "continued_treatment"},
    }


async def test_a_receipt_is_handed_out_with_its_case_only(site: Website) -> None:
    recording = await recorded(site)
    seat = site.seat("referring_physician")[0]
    physician = await site.signed_in("referring_physician")
    await physician.post(f"/api/recordings/{recording}/seats/{seat}/withdraw", REASON)
    path = f"/api/cases/{CASE_ID}/receipts/1"
    assert (await physician.get(path)).code == "not_found", "there is none before it is done"
    async with site.database.write() as tx:
        row = await destructions.get(tx, recording, seat)
        assert row is not None
        done = {"state": "done", "receipt": "{}\n", "receipt_number": 1, "destroyed_ms": 1}
        await destructions.change(tx, row.id, **done)
    answer = await physician.get(path)
    assert (answer.status, answer.text) == (200, "{}\n")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="receipt-1.json"'
