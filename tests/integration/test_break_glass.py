"""Break-glass: with a reason, for one patient, for a while; others are told, and nothing else opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.services.demo import CASE_ID
from server.services.demo_referral import PATIENT_ID
from server.storage import cases
from tests.support.mailbox import mail_settings, sent, words
from tests.support.smtp import Post
from tests.support.website import Browser, Website, website

REASON = "The treating physician is ill and the family waits for an answer"


@pytest.fixture
async def site(tmp_path: Path, post: Post) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", mail=mail_settings(post)) as made:
        yield made


async def label(site: Website, case_id: str = CASE_ID) -> str:
    async with site.database.read() as tx:
        found = await cases.by_id(tx, case_id)
    assert found
    return found.label


READS = (f"/api/cases/{CASE_ID}", f"/api/cases/{CASE_ID}/referral", f"/api/patients/{PATIENT_ID}")


async def codes(browser: Browser) -> set[str | None]:
    return {(await browser.get(path)).code for path in READS}


async def test_a_reason_opens_one_patient_for_an_hour_and_everybody_concerned_is_told(
    site: Website, post: Post
) -> None:
    officer = await site.signed_in("privacy_officer", "198.51.100.7")
    assert await codes(officer) == {"forbidden"}
    asked = {"case": await label(site), "reason": REASON}
    for wrong, code in (
        ({"reason": "because"}, "glass_reason"),
        ({"reason": "well well well well well well"}, "glass_reason"),
        ({"reason": "1 2 3 4 5 6"}, "glass_reason"),
        ({"case": "KZ-none"}, "not_found"),
        ({"minutes": 9_999}, "bad_request"),
    ):
        assert (await officer.post("/api/break-glass", asked | wrong)).code == code
    opened = await officer.post("/api/break-glass", asked)
    assert opened.status == 200, opened.text
    glass = opened.json["glass"]
    assert (glass["case_id"], glass["case"]) == (CASE_ID, asked["case"])
    assert (await officer.get("/api/me")).json["account"]["break_glass"] == glass
    assert await codes(officer) == {None}
    assert (await officer.post("/api/break-glass", asked)).code == "glass_open"

    for path in (
        f"/api/cases/{CASE_ID}/return",
        f"/api/cases/{CASE_ID}/cancel",
        f"/api/patients/{PATIENT_ID}",
    ):
        assert (await officer.post(path, {})).code == "forbidden", "it is for reading"
    mails = {to: words(message) for to, message in await sent(site, post)}
    roles = ("privacy_officer", "coordinator", "site_admin")
    assert set(mails) == {site.password(role)[0] for role in roles}
    everything = "".join(mails.values())
    assert asked["case"] not in everything
    assert "family" not in everything

    site.clock.advance(hours=0.99)
    assert await codes(officer) == {None}
    site.clock.advance(hours=0.02)
    assert await codes(officer) == {"forbidden"}, "its time is over"
    assert (await officer.get("/api/me")).json["account"]["break_glass"] is None
    assert (await officer.post(f"/api/break-glass/{glass['id']}/end")).code == "glass_over"
    [told] = (await officer.get("/api/break-glass")).json["glasses"]
    assert (told["reason"], told["open"]) == (REASON, False)
    rows = (await officer.post("/api/audit/search", {"action": "glass_broken"})).json["entries"]
    assert [(row["patient_id"], row["address"]) for row in rows] == [(PATIENT_ID, "198.51.100.7")]
    assert "family" not in str(rows), "the words are not in the chain, their hash is"
    assert len(rows[0]["detail"]["sha256"]) == 64


async def test_it_is_ended_early_and_a_physician_needs_the_policy(site: Website) -> None:
    asked = {"case": await label(site), "reason": REASON}
    consulting = await site.signed_in("consulting_physician")
    assert (await consulting.post("/api/break-glass", asked)).code == "forbidden"
    for role in ("coordinator", "reviewer", "interpreter", "site_admin", "site_operator"):
        assert (await (await site.signed_in(role)).post("/api/break-glass", asked)).code == "forbidden", role

    policy = site.settings.audit.model_copy(update={"break_glass_physicians": True})
    site.services.context.settings = site.settings.model_copy(update={"audit": policy})
    async with site.database.write() as tx:  # a physician of the case no more
        await tx.exec_driver_sql("DELETE FROM case_people WHERE relation = 'invited'")
        await tx.exec_driver_sql("UPDATE seats SET account_id = NULL WHERE role = 'consulting_physician'")
    assert await codes(consulting) == {"forbidden"}
    glass = (await consulting.post("/api/break-glass", asked)).json["glass"]
    assert await codes(consulting) == {None}
    assert (await consulting.get("/api/break-glass")).code == "forbidden"
    officer = await site.signed_in("privacy_officer")
    assert await codes(officer) == {"forbidden"}, "it is open for who broke it alone"
    reviewer = await site.signed_in("reviewer")
    assert (await reviewer.post(f"/api/break-glass/{glass['id']}/end")).code == "forbidden"
    assert (await officer.post("/api/break-glass/none/end")).code == "not_found"
    assert (await officer.post(f"/api/break-glass/{glass['id']}/end")).status == 204, "the officer ends it"
    assert await codes(consulting) == {"forbidden"}
    again = (await consulting.post("/api/break-glass", asked)).json["glass"]
    assert (await consulting.post(f"/api/break-glass/{again['id']}/end")).status == 204
    assert await codes(consulting) == {"forbidden"}
    assert (await consulting.post("/api/break-glass", asked)).status == 200
    me = (await consulting.get("/api/me")).json["account"]["id"]
    admin = await site.signed_in("programme_admin")
    assert (await admin.post(f"/api/people/{me}/leave")).status == 200
    assert (await admin.post(f"/api/people/{me}/return")).status == 204
    back = await site.signed_in("consulting_physician")
    assert await codes(back) == {"forbidden"}, "who left and came back finds nothing open"


async def test_failed_sign_ins_are_entries_whether_there_is_such_an_account_but_not_thousands(
    site: Website,
) -> None:
    email, _ = site.password("reviewer")
    for _ in range(3):
        for who in (email, "nobody@demo.invalid"):
            tried = site.browser("203.0.113.9")
            assert (
                await tried.post("/api/sign-in", {"email": who, "password": "x"})
            ).code == "sign_in_refused"
    for number in range(30):
        await site.browser("203.0.113.9").post(
            "/api/sign-in", {"email": f"{number}@x.invalid", "password": "x"}
        )
    officer = await site.signed_in("privacy_officer")
    rows = (await officer.post("/api/audit/search", {"action": "sign_in_failed"})).json["entries"]
    assert len(rows) == 20
    assert {row["address"] for row in rows} == {"203.0.113.9"}
    known = [row for row in rows if row["account"] is not None]
    assert len(known) == 3
    assert {row["subject_id"] for row in rows if row["account"] is None} == {"unknown"}
    admin = await site.signed_in("site_admin")
    assert "sign_in_failed" in {
        row["action"] for row in (await admin.get("/api/audit/logins")).json["entries"]
    }
