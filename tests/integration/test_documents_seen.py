"""Who sees which document, how it is handed out, whose it is said to be, and how it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from server.domain.documents import State
from server.services.demo import CASE_ID
from server.storage import documents, holds
from server.storage.ids import new_id
from server.storage.schema_audit import audit
from tests.integration import test_referral_web as referral
from tests.support.uploads import (
    BASE,
    BYTES,
    PNG,
    ByFirstBytes,
    begun,
    brought,
    checked,
    dicom,
    pdf,
    sent,
    told,
    uploaded,
)
from tests.support.website import Browser, Website, website

READERS = ("referring_physician", "consulting_physician", "reviewer", "coordinator")
OTHERS = ("interpreter", "site_admin", "privacy_officer")
WRONG = {"reason": "wrong_file"}
PATIENT = {"names": ["DEMO^SYNTHETIC"], "birth_date": "1968-04-12", "sex": "F", "number": "A-1"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", decoder=ByFirstBytes()) as made:
        yield made


async def listed(browser: Browser) -> list[Any]:
    answer = await browser.get(BASE)
    assert answer.status == 200, answer.text
    return list(answer.json["documents"])


async def fetch(browser: Browser, document: str, reason: str = "treatment", **headers: str) -> Any:
    path = f"{BASE}/{document}/content?reason={reason}"
    async with browser._http.get(path, headers=headers) as response:
        return response.status, response.headers, await response.read()


async def actions(site: Website, document: str) -> list[tuple[str, dict[str, Any]]]:
    async with site.database.read() as tx:
        rows = (await tx.execute(select(audit).order_by(audit.c.id))).all()
    return [(row.action, row.detail) for row in rows if row.subject_id == document]


async def assert_seen(site: Website, made: dict[str, str], seen: dict[str, set[str]]) -> None:
    """Each role lists and opens just these of what was `made`; all others are refused."""
    for role, expected in seen.items():
        browser = await site.signed_in(role)
        assert {one["id"] for one in await listed(browser)} == {made[how] for how in expected}, role
        for how, document in made.items():
            for path in ("", "/content?reason=treatment", "/pages/0"):
                answer = await browser.ask("HEAD" if path else "GET", f"{BASE}/{document}{path}")
                assert answer.status == (200 if how in expected else 404), (role, how, path)
    for role in OTHERS:
        browser = await site.signed_in(role)
        for path in ("", f"/{made['case']}", f"/{made['case']}/content?reason=legal"):
            assert (await browser.get(BASE + path)).code == "forbidden", (role, path)


async def test_each_file_is_seen_by_those_whom_its_visibility_names_and_by_nobody_else(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    made = {how: await brought(site, lp, pdf(500), visibility=how) for how in ("site", "physicians", "case")}
    seen = {
        "referring_physician": {"site", "physicians", "case"},
        "site_operator": set(),
        "consulting_physician": {"physicians", "case"},
        "reviewer": {"case"},
        "coordinator": {"case"},
    }
    await assert_seen(site, made, seen)


async def test_an_operator_brings_files_and_sees_no_others_and_who_only_reads_brings_none(
    site: Website,
) -> None:
    lp, lo = await site.signed_in("referring_physician"), await site.signed_in("site_operator")
    theirs, own = await brought(site, lp, pdf(500)), await brought(site, lo, pdf(500))
    assert [one["id"] for one in await listed(lo)] == [own]
    assert (await lo.post(f"{BASE}/{theirs}/change", {"kind": "photo"})).code == "not_found"
    assert (await lo.post(f"{BASE}/{own}/change", {"kind": "photo"})).json["kind"] == "photo"
    for role in ("reviewer", *OTHERS):
        browser = await site.signed_in(role)
        body = {"name": "a.pdf", "size": 5, "kind": "report"}
        assert (await browser.post(BASE, body)).code == "forbidden", role
        assert (await sent(browser, own, b"x")).code == "forbidden", role
        for path in ("confirm", "change", "withdraw", "upload/cancel"):
            assert (await browser.post(f"{BASE}/{own}/{path}", {})).code == "forbidden", (role, path)
        if role == "reviewer":
            assert (await browser.get(BASE)).json["may"]["add"] is False
    for role in ("consulting_physician", "coordinator"):
        browser = await site.signed_in(role)
        for path, body in (("confirm", {"same": True}), ("change", {}), ("withdraw", WRONG)):
            answer = await browser.post(f"{BASE}/{own}/{path}", body)
            assert answer.code == "forbidden", (role, path, "the other side's")
        assert (await browser.post(f"{BASE}/{own}/upload/cancel", {})).code == "not_found"


async def test_what_the_consulting_side_brings_is_seen_by_those_whom_its_visibility_names(
    site: Website,
) -> None:
    kp, kc = await site.signed_in("consulting_physician"), await site.signed_in("coordinator")
    answer = (await kp.get(BASE)).json
    assert (answer["may"]["add"], answer["side"], answer["wanted"]) == (True, "consulting", [])
    made = {how: await brought(site, kp, pdf(500), visibility=how) for how in ("site", "physicians", "case")}
    made["office"] = await brought(site, kc, pdf(500), visibility="site")
    seen = {
        "referring_physician": {"physicians", "case"},
        "site_operator": set(),
        "consulting_physician": {"site", "physicians", "case", "office"},
        "reviewer": {"case"},
        "coordinator": {"case", "office"},
    }
    await assert_seen(site, made, seen)
    begun_entry = (await actions(site, made["case"]))[0]
    assert begun_entry == ("document_begun", {"kind": "report", "side": "consulting"})


async def test_a_physician_whom_nobody_asked_brings_nothing_to_a_case(site: Website) -> None:
    kp = await site.signed_in("consulting_physician")
    own = await brought(site, kp, pdf(500))
    async with site.database.write() as tx:
        await tx.execute(text("DELETE FROM case_people WHERE relation = 'invited'"))
    body = {"name": "a.pdf", "size": 5, "kind": "report"}
    assert (await kp.post(BASE, body)).code == "forbidden"
    assert (await kp.get(f"{BASE}/{own}")).code == "forbidden", (
        "nor does who is asked no longer see their own"
    )


async def test_what_the_other_side_may_have_seen_is_struck_out_and_what_it_never_saw_is_destroyed(
    site: Website,
) -> None:
    kp, lp = await site.signed_in("consulting_physician"), await site.signed_in("referring_physician")
    shown, inside = await brought(site, kp, pdf(500)), await brought(site, kp, pdf(600), visibility="site")
    once = await brought(site, kp, pdf(700), visibility="site")
    for visibility in ("physicians", "site"):
        assert (await kp.post(f"{BASE}/{once}/change", {"visibility": visibility})).status == 200
    assert [one["sent"] for one in await listed(kp)] == [True, False, True]
    for document in (shown, inside, once):
        assert (await lp.post(f"{BASE}/{document}/withdraw", WRONG)).status in (403, 404)
        assert (await kp.post(f"{BASE}/{document}/withdraw", WRONG)).status == 200
    await checked(site)
    assert (await fetch(lp, shown))[0] == 410
    assert (await fetch(kp, shown))[2] == pdf(500)
    destroyed = {one["id"]: one["withdrawn"]["destroyed"] for one in await listed(kp)}
    assert destroyed == {shown: False, inside: True, once: False}


async def test_a_referral_never_goes_out_with_what_the_consulting_side_brought(site: Website) -> None:
    kp, lp = await site.signed_in("consulting_physician"), await site.signed_in("referring_physician")
    await brought(site, kp, pdf(500), kind="consent")
    own = await brought(site, lp, pdf(500))
    await cite(site, 1)
    assert {one["id"] for one in await listed(lp) if one["submitted"]} == {own}
    papers = (await lp.get(f"/api/cases/{CASE_ID}/consents")).json["papers"]
    assert papers == [], "a consent on paper comes from where the patient is"


async def test_an_upload_that_is_not_ready_is_nobody_elses(site: Website) -> None:
    lp, kp = await site.signed_in("referring_physician"), await site.signed_in("consulting_physician")
    whole = await uploaded(lp, b"HANG on")
    await checked(site)
    begun_only = (await begun(lp, pdf(99)))["id"]
    assert await listed(kp) == []
    for document in (whole, begun_only):
        assert (await kp.get(f"{BASE}/{document}")).code == "not_found"
        status, _, _ = await fetch(lp, document)
        assert status == 409
    assert [one["state"] for one in await listed(lp)] == ["checking", "uploading"]


async def test_a_download_is_fenced_in_comes_in_ranges_and_leaves_its_reason(site: Website) -> None:
    lp, kp = await site.signed_in("referring_physician"), await site.signed_in("consulting_physician")
    data = pdf(300_000)
    document = await brought(site, lp, data, name='"><script>.pdf')
    status, headers, body = await fetch(kp, document, "second_opinion")
    assert (status, body) == (200, data)
    assert headers["Content-Disposition"] == f'attachment; filename="hyeopjin-{document[:8]}.pdf"'
    assert headers["Content-Type"] == "application/pdf"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "private, no-store"
    for span, expected in (("bytes=0-0", data[:1]), ("bytes=-5", data[-5:]), ("bytes=65400-200000", None)):
        status, headers, body = await fetch(kp, document, Range=span)
        assert (status, body) == (206, data[65400:200001] if expected is None else expected)
    assert headers["Content-Range"] == "bytes 65400-200000/300000"
    assert (await fetch(kp, document, Range="bytes=300000-"))[0] == 416
    assert (await fetch(kp, document, **{"If-None-Match": headers["ETag"]}))[0] == 304
    for reason in ("", "curiosity"):
        assert (await kp.get(f"{BASE}/{document}/content?reason={reason}")).code == "reason_missing"
    assert (await lp.get(f"{BASE}/{document}/content?reason=patient_copy")).code == "not_for_patient"
    assert (await lp.post(f"{BASE}/{document}/change", {"patient_copy": True})).json["patient_copy"]
    assert (await fetch(lp, document, "patient_copy"))[0] == 200
    noted = [detail for action, detail in await actions(site, document) if action == "document_downloaded"]
    assert noted[0] == {"reason": "second_opinion"}
    assert noted[-1] == {"reason": "patient_copy"}


async def test_a_preview_is_a_fenced_picture_and_looking_is_noted_once_a_while(site: Website) -> None:
    lp, kp = await site.signed_in("referring_physician"), await site.signed_in("consulting_physician")
    document = await brought(site, lp, pdf(500))
    for page in (0, 1):
        async with kp._http.get(f"{BASE}/{document}/pages/{page}?width=9999") as response:
            assert await response.read() == PNG + b"%PDF" + f"{page} 2048".encode()
            assert response.headers["Content-Type"] == "image/png"
            assert "sandbox" in response.headers["Content-Security-Policy"]
    assert (await kp.get(f"{BASE}/{document}/pages/2")).code == "page_unknown"
    assert (await kp.get(f"{BASE}/{document}/pages/x")).code == "bad_request"
    looks = [action for action, _ in await actions(site, document) if action == "document_looked"]
    assert len(looks) == 1
    site.clock.advance(hours=1)
    await kp.get(f"{BASE}/{document}")
    assert [action for action, _ in await actions(site, document)].count("document_looked") == 2


async def test_a_look_that_cannot_be_noted_shows_nothing_and_neither_does_the_next(site: Website) -> None:
    lp, kp = await site.signed_in("referring_physician"), await site.signed_in("consulting_physician")
    document = await brought(site, lp, pdf(500))
    full = (
        "CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.action = 'document_looked' "
        "BEGIN SELECT RAISE(ABORT, 'no room'); END"
    )
    async with site.database.write() as tx:
        await tx.execute(text(full))
    for path in ("", "", "/pages/0", "/pages/0"):
        assert (await kp.get(f"{BASE}/{document}{path}")).status == 500
    async with site.database.write() as tx:
        await tx.execute(text("DROP TRIGGER full"))
    await asyncio.gather(*(kp.get(f"{BASE}/{document}") for _ in range(3)))
    assert [action for action, _ in await actions(site, document)].count("document_looked") == 1


async def test_a_study_is_shown_to_nobody_until_whoever_brought_it_says_whose_it_is(site: Website) -> None:
    lp, kp = await site.signed_in("referring_physician"), await site.signed_in("consulting_physician")
    document = await brought(site, lp, dicom(PATIENT))
    row = await told(lp, document)
    assert row["state"] == "confirm"
    assert row["confirm"]["found"] == [
        {"names": ["DEMO SYNTHETIC"], "birth_date": "1968-04-12", "sex": "female", "number": "A-1"}
    ]
    assert row["confirm"]["registered"]["birth_date"] == "1968-04-12"
    assert (await kp.get(f"{BASE}/{document}")).code == "not_found"
    assert (await kp.post(f"{BASE}/{document}/confirm", {"same": True})).code == "not_found"
    assert (await lp.post(f"{BASE}/{document}/confirm", {"same": True})).json["state"] == "ready"
    assert (await told(kp, document))["state"] == "ready"
    assert (await lp.post(f"{BASE}/{document}/confirm", {"same": False})).code == "document_gone"


async def test_a_study_of_somebody_else_says_what_differs_and_is_destroyed_at_once(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    other = {"names": ["KIM^MINSU"], "birth_date": "19500101", "sex": "M", "number": "B"}
    document = await brought(site, lp, dicom(PATIENT, other))
    assert (await told(lp, document))["confirm"]["differs"] == ["several", "name", "birth_date", "sex"]
    folder = site.settings.documents_dir / document
    key = site.settings.keys_dir / CASE_ID / f"{document}.key"
    assert folder.exists()
    assert key.exists()
    answer = await lp.post(f"{BASE}/{document}/confirm", {"same": False})
    assert (answer.json["state"], answer.json["withdrawn"]["reason"]) == ("withdrawn", "wrong_patient")
    await checked(site)
    assert not folder.exists()
    assert not key.exists()
    assert (await told(lp, document))["withdrawn"]["destroyed"] is True
    assert (await fetch(lp, document))[0] == 410
    assert [action for action, _ in await actions(site, document)][-2:] == [
        "document_confirmed",
        "document_destroyed",
    ]


async def cite(site: Website, number: int) -> None:
    """As a submission does."""
    async with site.database.write() as tx:
        await documents.cite(tx, CASE_ID, number)


async def test_what_no_referral_went_out_with_is_taken_back_for_good_by_who_brought_it(site: Website) -> None:
    lo = await site.signed_in("site_operator")
    document = await brought(site, lo, pdf(500))
    path = f"{BASE}/{document}/withdraw"
    for body in ({"reason": "because"}, {"reason": "other"}, {"reason": "other", "words": "  "}):
        assert (await lo.post(path, body)).code == "reason_missing"
    assert (await lo.post(path, {"reason": "wrong_file"})).json["state"] == "withdrawn"
    await checked(site)
    assert (await told(lo, document))["withdrawn"]["destroyed"] is True
    assert not (site.settings.documents_dir / document).exists()
    assert (await lo.post(path, {"reason": "wrong_file"})).code == "document_gone"


async def test_what_a_referral_went_out_with_is_struck_out_by_a_physician_and_stays_readable_at_the_site(
    site: Website,
) -> None:
    lp, lo = await site.signed_in("referring_physician"), await site.signed_in("site_operator")
    kp = await site.signed_in("consulting_physician")
    kept, wrong = await brought(site, lo, pdf(500)), await brought(site, lo, pdf(600))
    inside = await brought(site, lo, pdf(700), visibility="site")
    await cite(site, 1)
    assert [one["submitted"] for one in await listed(lp)] == [True, True, False]
    assert (await lo.post(f"{BASE}/{kept}/withdraw", {"reason": "wrong_file"})).code == "forbidden"
    assert (await lp.post(f"{BASE}/{kept}/withdraw", {"reason": "wrong_file"})).status == 200
    assert (await lp.post(f"{BASE}/{wrong}/withdraw", {"reason": "wrong_patient"})).status == 200
    assert (await lo.post(f"{BASE}/{inside}/withdraw", {"reason": "wrong_file"})).status == 200
    await checked(site)
    assert (await fetch(lp, kept))[2] == pdf(500)
    assert (await fetch(kp, kept))[0] == 410, "struck out for everybody else"
    assert (await told(kp, kept))["withdrawn"]["reason"] == "wrong_file"
    assert (await fetch(lp, wrong))[0] == 410
    destroyed = {one["id"]: one["withdrawn"]["destroyed"] for one in await listed(lp)}
    assert destroyed == {kept: False, wrong: True, inside: True}


async def test_nothing_is_destroyed_while_a_hold_stands_and_nobody_opens_it_meanwhile(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    document = await brought(site, lp, pdf(500))
    hold = holds.Hold(new_id(), CASE_ID, "lawsuit", "somebody", site.clock())
    async with site.database.write() as tx:
        await holds.add(tx, hold)
    assert (await lp.post(f"{BASE}/{document}/withdraw", {"reason": "wrong_file"})).status == 200
    await checked(site)
    assert (await fetch(lp, document))[0] == 410
    assert (site.settings.documents_dir / document).exists()
    async with site.database.write() as tx:
        assert await holds.lift(tx, hold.id, "somebody", "over", site.clock())
    await checked(site)
    assert not (site.settings.documents_dir / document).exists()


async def test_a_key_that_a_backup_brings_back_is_destroyed_again_at_the_next_start(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    document = await brought(site, lp, pdf(500))
    folder = site.settings.keys_dir / CASE_ID
    backup = {path.name: path.read_bytes() for path in folder.glob(f"{document}.*")}
    await lp.post(f"{BASE}/{document}/withdraw", {"reason": "wrong_file"})
    await checked(site)
    (folder / f"{document}.destroyed").unlink()
    for name, content in backup.items():
        (folder / name).write_bytes(content)
    assert site.documents is not None
    await site.documents.checks.start()
    await site.documents.checks.stop()
    assert not (folder / f"{document}.key").exists()
    assert (folder / f"{document}.destroyed").exists()


async def test_a_referral_says_which_kinds_it_wants_and_goes_out_with_those_that_it_must_have(
    tmp_path: Path,
) -> None:
    required = {"required": {"orthopaedics": ["imaging"]}}
    async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=required) as site:
        lp = await site.signed_in("referring_physician")
        case = await referral.begun(lp)
        base = f"/api/cases/{case}/documents"
        version = await referral.filled(lp, case)
        assert (await lp.get(base)).json["wanted"] == [
            {"kind": "imaging", "required": True, "documents": []},
            {"kind": "report", "required": False, "documents": []},
        ]
        refused = await referral.submitted(lp, case, version)
        assert (refused.code, refused.json["error"]["missing"]) == ("document_missing", 1)
        body = {"name": "knee.pdf", "size": 500, "kind": "imaging"}
        made = (await lp.post(base, body)).json["id"]
        assert (await lp.get(base)).json["wanted"][0]["documents"] == [made]
        headers = {**BYTES, "Upload-Offset": "0"}
        assert (await lp.ask("PATCH", f"{base}/{made}/upload", data=pdf(500), headers=headers)).status == 204
        assert (await referral.submitted(lp, case, version)).code == "document_missing", "not looked into yet"
        await checked(site)
        assert (await referral.submitted(lp, case, version)).status == 201
        assert (await lp.get(f"{base}/{made}")).json["submitted"] is True


async def test_a_destruction_that_a_kill_cut_short_is_finished_by_the_next_run(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    document = await brought(site, lp, pdf(500))
    async with site.database.write() as tx:
        values = {"state": State.WITHDRAWN.value, "destroy": True, "withdrawn_ms": 1}
        assert await documents.change(tx, document, [State.READY], **values)
    assert site.documents is not None
    await checked(site)
    await checked(site)
    assert [action for action, _ in await actions(site, document)].count("document_destroyed") == 1
