"""A recording is kept for teaching only while the patient agrees to that, and falls back when they do not."""

from __future__ import annotations

from typing import Any

import pytest

from server.services.demo import ALMATY, CASE_ID, SEOUL
from server.storage import audit, retentions
from tests.integration.test_consents_web import BASE, asked, code_of
from tests.support.website import Website

CLASS = {"name": "teaching", "reason": "content"}


async def recorded(site: Website, basis: str) -> str:
    """A session of real people, or of nobody real, that has ended; its id."""
    po = await site.signed_in("privacy_officer")
    pair = {"referring": ALMATY, "consulting": SEOUL, "version": 1}
    if basis != "demonstration":
        change = pair | {"seat_rule": "not_required", "legal_basis": basis}
        assert (await po.post("/api/policies", change)).status == 204
    rooms, room = site.services.rooms, site.table.consultation_id
    session = await rooms.open_session(room, site.clock())
    await rooms.end_session(room, session.id, "emptied", site.clock())
    await site.services.retention.reckon()
    return session.id


async def period(site: Website) -> dict[str, Any]:
    po = await site.signed_in("privacy_officer")
    (row,) = (await po.get(f"/api/cases/{CASE_ID}/periods")).json["recordings"]
    return {"agreed": {one["name"]: one["agreed"] for one in row["classes"]}, **row}


async def test_a_class_that_the_patient_has_not_agreed_to_is_refused_and_falls_back_when_they_take_it_back(
    site: Website,
) -> None:
    recording = await recorded(site, "medical_personnel")
    po, lp = await site.signed_in("privacy_officer"), await site.signed_in("referring_physician")
    path = f"/api/recordings/{recording}/class"
    assert (await po.post(path, CLASS)).code == "teaching_missing"
    assert (await lp.post(path, CLASS)).code == "forbidden", "a yes is not theirs to use"
    before = await period(site)
    assert (before["class"], before["agreed"]["teaching"]) == ("consultation", False)
    assert before["agreed"]["chart"], "no other class waits for the patient"
    assert (await po.post(path, CLASS | {"name": "chart"})).status == 200
    ten_years = (await period(site))["kept_until_ms"]
    await lp.post(BASE, await asked(lp, "granted", "teaching"))
    assert (await po.post(path, CLASS)).status == 200
    taught = await period(site)
    assert (taught["class"], taught["agreed"]["teaching"]) == ("teaching", True)
    assert taught["kept_until_ms"] < ten_years
    gone = {"code": await code_of(site), "purpose": "teaching"}
    assert (await site.browser().post("/api/my/consents/withdraw", gone)).status == 202
    after = await period(site)
    assert (after["class"], after["kept_until_ms"]) == ("chart", ten_years), "as it was before teaching"
    assert (await po.post(path, CLASS)).code == "teaching_missing"
    async with site.database.read() as tx:
        assert await audit.first_broken(tx) is None


@pytest.mark.parametrize("decision", ["declined", "withdrawn"])
async def test_a_no_at_the_site_makes_it_fall_back_even_where_nobody_is_real(
    site: Website, decision: str
) -> None:
    recording = await recorded(site, "demonstration")
    po, lp = await site.signed_in("privacy_officer"), await site.signed_in("referring_physician")
    assert (await po.post(f"/api/recordings/{recording}/class", CLASS)).status == 200
    if decision == "declined":
        await lp.post(BASE, await asked(lp, "declined", "teaching"))
    else:
        await lp.post(BASE, await asked(lp, "granted", "teaching"))
        assert (await period(site))["class"] == "teaching"
        await lp.post(f"{BASE}/withdraw", {"purpose": "teaching"})
    assert (await period(site))["class"] == "consultation"
    assert (await po.post(f"/api/recordings/{recording}/class", CLASS)).code == "teaching_missing"


async def test_at_the_start_what_was_kept_for_teaching_without_a_yes_falls_back(site: Website) -> None:
    recording = await recorded(site, "medical_personnel")
    async with site.database.write() as tx:
        await retentions.put(tx, recording, "teaching", 0, 1)
    assert await site.services.retention.reckon(everything=True) == 1
    assert (await period(site))["class"] == "consultation"
