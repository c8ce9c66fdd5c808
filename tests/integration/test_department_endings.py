"""A department is closed and opened again, a physician taken out of it: what is still ahead comes first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.services.demo import CASE_ID, SEOUL
from server.storage import audit as chain
from server.storage.schema import cases
from server.storage.schema_audit import audit
from server.storage.schema_casework import referral_versions
from tests.support.website import Browser, Website, website

NOON = datetime(2026, 11, 27, 3, tzinfo=UTC)
UNIT = {
    "hospital": SEOUL,
    "name": "Knees (synthetic)",
    "specialty": "orthopaedics",
    "places": ["orthopaedics/sports"],
    "languages": ["ko", "ru"],
    "monthly": 4,
}
QUESTION = (
    "Right knee, gives way. ACL tear and torn meniscus after a fall 6 weeks ago. MRI 2026-11-02. "
    "Is arthroscopic reconstruction indicated?"
)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        made.clock.turn_to(NOON)
        yield made


async def unit(site: Website, browser: Browser) -> tuple[str, str]:
    """A department with the demo's consulting physician in it; paths of both."""
    made = await browser.post("/api/departments", UNIT)
    path = f"/api/departments/{made.json['id']}"
    listed = {"name": "의사 (synthetic)", "languages": ["ko"]}
    account = site.password("consulting_physician")[0]
    added = await browser.post(f"{path}/physicians", listed | {"account": account})
    assert added.status == 201, added.text
    return path, f"{path}/physicians/{added.json['id']}"


async def going_there(site: Website, browser: Browser, path: str, physician: str) -> None:
    """The demo's case is decided for this department."""
    async with site.database.write() as tx:  # as a case of before there were forms: its question is all
        await tx.execute(referral_versions.delete().where(referral_versions.c.case_id == CASE_ID))
        await tx.execute(cases.update().where(cases.c.id == CASE_ID).values(question=QUESTION))
    proposal = (await browser.post(f"/api/cases/{CASE_ID}/match", {})).json["proposal"]
    chosen = {"department": path.rsplit("/", 1)[1], "physician": physician.rsplit("/", 1)[1]}
    more = {"why": "other", "note": "the new one"}
    decided = await browser.post(f"/api/cases/{CASE_ID}/match/{proposal['id']}", chosen | more)
    assert decided.status == 200, decided.text


async def booked(browser: Browser) -> str:
    asked = {"from": "2026-11-30", "days": 5, "minutes": 60}
    slots = (await browser.post(f"/api/cases/{CASE_ID}/slots", asked)).json["slots"]
    body = {"request": "request-1", "starts_at_ms": slots[0]["starts_at_ms"], "minutes": 60}
    made = await browser.post(f"/api/cases/{CASE_ID}/consultations", body)
    assert made.status == 201, made.text
    return str(made.json["consultation"])


async def actions(site: Website) -> list[tuple[str, dict[str, Any]]]:
    async with site.database.read() as tx:
        assert await chain.first_broken(tx) is None
        rows = await tx.execute(audit.select().where(audit.c.subject_type == "department"))
        return [(row.action, row.detail) for row in rows if row.action != "department_saved"]


async def listed(browser: Browser, path: str) -> dict[str, Any]:
    rows = (await browser.get("/api/departments")).json["departments"]
    found: dict[str, Any] = next(row for row in rows if path.endswith(row["id"]))
    return found


async def test_nothing_is_closed_before_its_booked_hours_are_moved_or_called_off(site: Website) -> None:
    coordinator, admin = await site.signed_in("coordinator"), await site.signed_in("programme_admin")
    path, physician = await unit(site, coordinator)
    for one in (path, physician):
        assert (await coordinator.get(f"{one}/ahead")).json == {"cases": 0, "hours": []}
    await going_there(site, coordinator, path, physician)
    consultation = await booked(coordinator)
    for one in (path, physician):
        seen = (await coordinator.get(f"{one}/ahead")).json
        assert (seen["cases"], [hour["case_id"] for hour in seen["hours"]]) == (1, [CASE_ID])
        zones = [clock["time_zone"] for clock in seen["hours"][0]["begins"]]
        assert zones == ["Asia/Almaty", "Asia/Seoul"], "on both clocks"
        [hour] = (await admin.get(f"{one}/ahead")).json["hours"]
        assert (hour["case_id"], hour["case_label"]) == (None, None), "who reads no case is named none"
    for request in (
        coordinator.post(f"{path}/closed", {"closed": True}),
        coordinator.post(path, UNIT | {"closed": True}),
    ):
        refused = await request
        assert (refused.status, refused.code) == (409, "department_booked")
        assert refused.json["error"]["hours"] == 1
    refused = await coordinator.post(f"{physician}/remove")
    assert (refused.status, refused.code, refused.json["error"]["hours"]) == (409, "physician_booked", 1)
    assert not (await listed(coordinator, path))["closed"]
    # called off: the case stays with whom it was decided for, and nothing is in the way
    off = {"request": "request-2", "side": "coordinator", "reason": "clinic"}
    gone = await coordinator.post(f"/api/consultations/{consultation}/cancel", off)
    began = gone.json["starts_at_ms"]
    assert gone.status == 200, gone.text
    assert (await coordinator.get(f"{path}/ahead")).json == {"cases": 1, "hours": []}
    assert (await coordinator.post(f"{physician}/remove")).status == 204
    assert (await coordinator.post(f"{path}/closed", {"closed": True})).status == 204
    assert (await coordinator.post(f"{path}/closed", {"closed": True})).status == 204, "twice is the same"
    row = await listed(coordinator, path)
    assert (row["closed"], row["physicians"]) == (True, [])
    body = {"request": "request-3", "starts_at_ms": began, "minutes": 60}
    for refused in (
        await coordinator.post(
            f"/api/cases/{CASE_ID}/slots", {"from": "2026-11-30", "days": 5, "minutes": 60}
        ),
        await coordinator.post(f"/api/cases/{CASE_ID}/consultations", body),
    ):
        assert (refused.status, refused.code) == (409, "department_closed"), "no hour is found there any more"
    doctor = await site.signed_in("consulting_physician")
    assert (await doctor.get(f"/api/cases/{CASE_ID}")).status == 200, "the case is still theirs to answer"
    again = (await coordinator.post(f"/api/cases/{CASE_ID}/match", {})).json["proposal"]
    assert row["id"] not in {one["department"] for one in again["ranked"]}
    assert (await admin.post(f"{path}/closed", {"closed": False})).status == 204
    assert not (await listed(coordinator, path))["closed"]
    assert await actions(site) == [
        ("physician_removed", {"physician": physician.rsplit("/", 1)[1], "cases": 1}),
        ("department_closed", {}),
        ("department_opened", {}),
    ]


async def test_nobody_is_in_a_department_twice_and_an_account_once_given_stays(site: Website) -> None:
    admin = await site.signed_in("programme_admin")
    path, physician = await unit(site, admin)
    account = site.password("consulting_physician")[0]
    form = {"name": "의사 (synthetic)", "languages": ["ko"]}
    twice = await admin.post(f"{path}/physicians", form | {"account": account})
    assert (twice.status, twice.code) == (409, "physician_listed")
    changed = form | {"languages": ["ko", "en"], "places": ["orthopaedics/sports"]}
    assert (await admin.post(physician, changed)).status == 200
    [one] = (await listed(admin, path))["physicians"]
    assert (one["languages"], one["places"]) == (["ko", "en"], ["orthopaedics/sports"])
    assert one["account_id"] is not None
    assert (await admin.post(f"{physician}/remove")).status == 204
    back = await admin.post(f"{path}/physicians", form | {"account": account})
    assert back.status == 201, "somebody taken out may come again"


async def test_nobody_else_closes_a_department_or_takes_somebody_out(site: Website) -> None:
    path, physician = await unit(site, await site.signed_in("programme_admin"))
    for role in ("site_admin", "consulting_physician", "site_operator", "privacy_officer"):
        browser = await site.signed_in(role)
        assert (await browser.get(f"{path}/ahead")).code == "forbidden"
        assert (await browser.get(f"{physician}/ahead")).code == "forbidden"
        assert (await browser.post(f"{path}/closed", {"closed": True})).code == "forbidden"
        assert (await browser.post(f"{physician}/remove")).code == "forbidden"
    assert (await site.browser().post(f"{path}/closed", {"closed": True})).code == "sign_in_required"
    assert await actions(site) == []
