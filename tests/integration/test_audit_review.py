"""The monthly review: what a person is to look at, as a page, HTML and CSV, and who signed that they did."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from server.domain.glass import Glass
from server.services.demo import CASE_ID
from server.services.demo_referral import PATIENT_ID
from server.storage import accounts, audit, break_glass, cases
from tests.support.website import Website

MONTH = "2026-09"


def at(day: int, hour: int, zone: str = "Asia/Almaty") -> int:
    """In that September; the 7th is a Monday."""
    return round(datetime(2026, 9, day, hour, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


async def people(site: Website) -> dict[str, str]:
    async with site.database.read() as tx:
        found = {}
        for role in ("referring_physician", "reviewer", "privacy_officer", "consulting_physician"):
            email, _ = site.password(role)
            account = await accounts.by_email(tx, email)
            assert account
            found[role] = account[0].id
    return found


async def write(site: Website, at_ms: int, action: str, account: str | None, **more: Any) -> None:
    values = {"subject_type": "case", "subject_id": CASE_ID, "address": "198.51.100.7", "case_id": CASE_ID}
    async with site.database.write() as tx:
        await audit.append(tx, at_ms, audit.Entry(action=action, account_id=account, **values | more))


async def filled(site: Website) -> None:
    """A month with one of everything."""
    who = await people(site)
    physician, reviewer, officer = who["referring_physician"], who["reviewer"], who["privacy_officer"]
    async with site.database.write() as tx:  # of the case nothing happened in that month but on the 8th
        await tx.exec_driver_sql(f"UPDATE case_events SET at_ms = {at(8, 12)}")  # noqa: S608
        await tx.exec_driver_sql("UPDATE accounts SET name = '=Physician' WHERE id = ?", (physician,))
    await write(site, at(7, 12), "case_read", physician)
    await write(site, at(9, 3), "case_read", physician)
    await write(site, at(20, 12), "case_read", physician)
    await write(site, at(21, 12), "referral_read", physician)
    await write(site, at(21, 12, "Asia/Seoul"), "recording_opened", reviewer)
    await write(site, at(22, 12, "Asia/Seoul"), "export_downloaded", reviewer, detail={"reason": "insurer"})
    for number in range(7):
        await write(site, at(23, number), "sign_in_failed", None, case_id=None, subject_id="unknown")
    async with site.database.write() as tx:
        glass = Glass(
            "g-1", officer, CASE_ID, PATIENT_ID, "words <b>of</b> the officer", at(24, 12), at(24, 13)
        )
        await break_glass.add(tx, glass)
    await write(site, at(24, 12) + 1, "case_read", officer)
    await write(site, at(24, 14), "case_read", officer)
    await write(site, at(30, 23) + 7 * 3_600_000, "case_read", physician)  # October in UTC


async def test_the_report_lists_what_a_person_is_to_look_at_and_is_signed_once(site: Website) -> None:
    await filled(site)
    officer = await site.signed_in("privacy_officer")
    made = await officer.post("/api/audit/reviews", {"month": MONTH})
    assert made.status == 200, made.text
    path = f"/api/audit/reviews/{made.json['id']}"
    told = (await officer.get(path)).json
    rows = {one["id"]: [dict(zip(one["columns"], row, strict=True)) for row in one["rows"]]
            for one in told["report"]["sections"]}  # fmt: skip
    flagged = {one["id"] for one in told["report"]["sections"] if one["review"]}
    assert flagged == {"glass", "unrelated", "outside", "copies", "failed"}

    [glass] = rows["glass"]
    assert (glass["words"], glass["minutes"], glass["looks"]) == ("words <b>of</b> the officer", 60, 1)
    unrelated = {(row["name"], row["role"]): row for row in rows["unrelated"]}
    assert unrelated[("=Physician", "referring_physician")]["looks"] == 2, "nothing happened that week"
    assert unrelated[("=Physician", "referring_physician")]["first_ms"] == at(20, 12)
    assert {role for _, role in unrelated} == {"referring_physician", "privacy_officer"}, "a reviewer follows"
    [outside] = [row for row in rows["outside"] if row["role"] == "referring_physician"]
    assert (outside["looks"], outside["patients"], outside["first_ms"]) == (2, 1, at(9, 3)), "and on a Sunday"
    assert [(row["action"], row["reason"]) for row in rows["copies"]] == [("export_downloaded", "insurer")]
    assert [(row["address"], row["tries"], row["name"]) for row in rows["failed"]] == [
        ("198.51.100.7", 7, "")
    ]
    overview = {row["role"]: row for row in rows["overview"]}
    assert (overview["referring_physician"]["looks"], overview["referring_physician"]["patients"]) == (4, 1)
    assert (overview["reviewer"]["copies"], overview["reviewer"]["unrelated"]) == (1, 0)
    async with site.database.read() as tx:
        case = await cases.by_id(tx, CASE_ID)
    assert case
    assert case.patient["name"] not in str(told), "nothing of the patient"

    assert (await officer.post(f"{path}/sign", {"sha256": "0" * 64, "remarks": ""})).code == "bad_request"
    signing = {"sha256": told["sha256"], "remarks": "The two looks of the 20th were asked about."}
    assert (await officer.post(f"{path}/sign", signing)).status == 204
    assert (await officer.post(f"{path}/sign", signing)).code == "review_signed"
    [listed] = (await officer.get("/api/audit/reviews")).json["reviews"]
    assert (listed["remarks"], listed["so_far"]) == (signing["remarks"], False)
    assert listed["to_review"] == sum(len(rows[name]) for name in flagged)
    actions = [row["action"] for row in (await officer.get("/api/account/audit")).json["entries"]]
    assert actions[:2] == ["audit_review_signed", "audit_reviewed"]


async def test_the_report_is_a_file_in_which_nothing_is_run(site: Website) -> None:
    await filled(site)
    officer = await site.signed_in("privacy_officer")
    for wrong in ("2026-13", "2026-9", "../x", "1999-01"):
        assert (await officer.post("/api/audit/reviews", {"month": wrong})).code == "bad_request"
    made = (await officer.post("/api/audit/reviews", {"month": MONTH})).json["id"]
    page = await officer.get(f"/api/audit/reviews/{made}/file?format=html&language=ru")
    assert page.headers["Content-Disposition"].startswith("attachment")
    assert "words &lt;b&gt;of&lt;/b&gt;" in page.text
    assert '<html lang="ru">' in page.text
    answer = await officer.get(f"/api/audit/reviews/{made}/file?format=csv")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert any("'=Physician" in row for row in rows)
    assert not any(cell.startswith("=") for row in rows for cell in row)
    assert (await officer.get(f"/api/audit/reviews/{made}/file?format=pdf")).code == "bad_request"
    assert (await officer.get("/api/audit/reviews/none")).code == "not_found"
