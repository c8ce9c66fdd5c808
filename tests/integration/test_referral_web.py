"""A referral over HTTP, on SQLite and PostgreSQL: begun, typed by two, submitted, returned, answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.domain.life import Guard
from server.domain.patient import as_json, facts
from server.domain.people import Site
from server.domain.referral import Answer
from server.domain.referral_form import newest
from server.services.case_life import move, mover
from server.services.demo import CASE_ID
from server.services.referrals import fingerprint
from server.storage import accounts, audit, cases, referrals
from tests.support.referrals import ADULT, whole
from tests.support.website import Answer as Reply
from tests.support.website import Browser, Website, website


@pytest.fixture
async def site(tmp_path: Path, database_url: str) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", database_url=database_url) as made:
        yield made


async def begun(lp: Browser, specialty: str = "orthopaedics") -> str:
    answer = await lp.post("/api/cases", {"specialty": specialty})
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


async def saved(
    lp: Browser, case: str, version: int, answers: dict[str, Any], editor: str = "page-1", **more: Any
) -> Any:
    body = {"version": version, "editor": editor, "answers": answers, **more}
    answer = await lp.post(f"/api/cases/{case}/draft", body)
    assert answer.status == 200, answer.text
    return answer.json


async def filled(lp: Browser, case: str, specialty: str = "orthopaedics", **given: Answer) -> int:
    """A whole draft about an invented patient; its version."""
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    if not draft["patient"]["names"]:
        body = {"version": draft["patient"]["version"], "person": as_json(ADULT)}
        assert (await lp.post(f"/api/patients/{draft['patient']['id']}", body)).status == 200
    answers = whole(newest(specialty), facts(ADULT, date(2026, 11, 26)), given)
    done = await saved(lp, case, draft["version"], answers)
    assert [one for one in done["problems"] if one["blocks"]] == []
    return int(done["version"])


async def submitted(lp: Browser, case: str, version: int) -> Reply:
    return await lp.post(f"/api/cases/{case}/submit", {"version": version})


async def audited(site: Website, case: str) -> list[str]:
    async with site.database.read() as tx:
        rows = await tx.exec_driver_sql(f"SELECT action FROM audit WHERE case_id = '{case}' ORDER BY id")  # noqa: S608
        return [row[0] for row in rows]


async def waiting(who: Browser) -> list[dict[str, Any]]:
    """Cases in their worklist, but for the demo's own, whose hour is booked."""
    return [one for one in (await who.get("/api/cases")).json["cases"] if one["id"] != CASE_ID]


async def matched(site: Website, case: str) -> None:
    """What the match will do: names the consulting physician on the case."""
    email, _ = site.password("consulting_physician")
    kc_email, _ = site.password("coordinator")
    async with site.database.write() as tx:
        found, kc = await accounts.by_email(tx, email), await accounts.by_email(tx, kc_email)
        assert found
        assert kc
        case_row = await cases.by_id(tx, case)
        assert case_row
        await cases.add_person(tx, case, found[0].id, "invited")
        await move(tx, site.clock(), case_row, "match", mover(kc[0], "::1"), {Guard.INVITED})


async def test_a_case_begins_as_a_draft_that_only_its_own_site_knows_of(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp, "oncology")
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    assert draft["case"]["label"].startswith("KZ-")
    assert (draft["form"], draft["version"], draft["case"]["state"]) == ("oncology/1", 1, "draft")
    assert {one["question"] for one in draft["problems"]} >= {"patient.name", "histology", "ecog", "question"}
    assert "treatment_lines" not in draft["asked"]
    kc = await site.signed_in("coordinator")
    for path in (f"/api/cases/{case}", f"/api/cases/{case}/referral"):
        assert (await kc.get(path)).code == "not_found"
    for path, body in (("return", {"number": 1, "reason": "incomplete"}), ("cancel", {"reason": "mistake"})):
        assert (await kc.post(f"/api/cases/{case}/{path}", body)).code == "not_found"
    assert [one["id"] for one in await waiting(lp)] == [case]
    assert (await kc.get("/api/cases")).json["cases"] == []


async def test_a_draft_that_was_given_up_stays_its_own_sites_until_it_is_submitted(site: Website) -> None:
    lp, kc = await site.signed_in("referring_physician"), await site.signed_in("coordinator")
    case = await begun(lp)

    async def known() -> tuple[set[str | None], bool, bool]:
        """What a coordinator is refused with, and whether the case is in a list of theirs."""
        asked = [
            await kc.get(f"/api/cases/{case}{more}") for more in ("", "/referral", "/glossary", "/match")
        ]
        found = (await kc.get("/api/cases")).json["cases"]
        listed = (await kc.get("/api/glossaries")).json["cases"]
        return (
            {one.code for one in asked},
            case in {one["id"] for one in found},
            case in {one["id"] for one in listed},
        )

    nothing = ({"not_found"}, False, False)
    assert await known() == nothing
    assert (await lp.post(f"/api/cases/{case}/cancel", {"reason": "mistake", "words": "x"})).status == 200
    assert await known() == nothing, "given up"
    assert (await kc.post(f"/api/cases/{case}/reopen", {"reason": "new_findings"})).code == "not_found"
    assert (await lp.post(f"/api/cases/{case}/reopen", {"reason": "new_findings"})).status == 200
    assert await known() == nothing, "taken up again"
    assert case in {one["id"] for one in (await lp.get("/api/cases")).json["cases"]}
    assert (await submitted(lp, case, await filled(lp, case))).status == 201
    assert await known() == ({None}, True, True)


async def test_pain_is_not_submitted_and_the_answer_says_how_much_is_missing(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp, "general")
    draft = await saved(lp, case, 1, {"question": "pain", "diagnosis": "боль", "history": "통증"})
    refused = await submitted(lp, case, draft["version"])
    assert (refused.status, refused.code) == (409, "referral_incomplete")
    assert refused.json["error"]["missing"] == len([one for one in draft["problems"] if one["blocks"]]) > 15
    codes = {one["question"]: one["code"] for one in draft["problems"]}
    assert (codes["question"], codes["diagnosis"], codes["findings"]) == (
        "too_thin",
        "symptom_only",
        "missing",
    )
    assert (await lp.get(f"/api/cases/{case}/draft")).json["case"]["state"] == "draft"


async def test_what_was_typed_comes_back_as_it_was_typed_whatever_it_was(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp, "cardiothoracic")
    typed = {"ef": "about fifty", "echo_date": "last spring", "lesion": "valve", "infection": ["none", "hiv"],
             "history": "one\n\nтри Ә", "not_of_this_form": "kept too", "inr": None}  # fmt: skip
    draft = await saved(lp, case, 1, typed)
    assert draft["answers"] == typed
    again = await site.signed_in("referring_physician")
    assert (await again.get(f"/api/cases/{case}/draft")).json["answers"] == typed
    codes = {one["question"]: one["code"] for one in draft["problems"]}
    assert (codes["ef"], codes["echo_date"], codes["infection"]) == (
        "not_a_number",
        "not_a_date",
        "contradicts",
    )


async def test_another_specialty_keeps_every_answer(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp, "urology")
    await saved(lp, case, 1, {"stone_size": "7", "question": "x"})
    moved = await saved(lp, case, 2, {}, specialty="neurosurgery")
    assert (moved["form"], moved["answers"]["stone_size"]) == ("neurosurgery/1", "7")
    assert "stone_size" not in moved["asked"]
    back = await saved(lp, case, 3, {}, specialty="urology")
    assert (back["answers"]["stone_size"], back["version"]) == ("7", 4)
    answer = await lp.post(
        f"/api/cases/{case}/draft", {"version": 4, "editor": "p", "answers": {}, "specialty": "dentistry"}
    )
    assert answer.code == "not_found"


async def test_two_who_type_at_once_lose_nothing(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp)
    await saved(lp, case, 1, {"question": "first words", "onset": ""})
    one = await saved(lp, case, 2, {"question": "mine", "history": "h"}, editor="one")
    other = await saved(lp, case, 2, {"question": "yours", "onset": "May"}, editor="other")
    assert one["conflicts"] == []
    assert other["conflicts"] == ["question"]
    assert other["answers"] == {"question": "mine", "onset": "May", "history": "h"}
    (aside,) = other["aside"]
    assert (aside["question"], aside["answer"], aside["by"]) == (
        "question",
        "yours",
        "Айгерим Демова (synthetic)",
    )
    assert {"aside"} == {p["code"] for p in other["problems"] if p["question"] == "question"} - {"too_thin"}
    chosen = await saved(
        lp, case, other["version"], {"question": "yours"}, editor="other", settled=[aside["id"]]
    )
    assert (chosen["aside"], chosen["answers"]["question"], chosen["conflicts"]) == ([], "yours", [])
    # an answer to which the reply was lost is sent again by the same page: that is no conflict
    again = await saved(lp, case, other["version"], {"question": "yours, longer"}, editor="other")
    assert (again["conflicts"], again["answers"]["question"]) == ([], "yours, longer")


async def test_many_saves_at_once_are_all_there(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp)
    names = [f"q{number}" for number in range(12)]
    await asyncio.gather(*(saved(lp, case, 1, {name: name}, editor=name) for name in names))
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    assert draft["answers"] == {name: name for name in names}
    assert draft["version"] == 13


async def test_a_submitted_version_never_changes_and_the_next_supersedes_it(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp)
    made = await submitted(lp, case, await filled(lp, case, region="knee"))
    assert (made.status, made.json["number"], made.json["state"]) == (201, 1, "submitted")
    first = (await lp.get(f"/api/cases/{case}/referral")).json["versions"]
    assert first[0]["answers"]["region"] == "knee"
    assert first[0]["patient"]["names"]["latin"] == "Nurlan Akhmetov"
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    assert (draft["version"], draft["based_on"], draft["answers"]["region"]) == (0, 1, "knee")
    begun_again = await saved(lp, case, 0, {"region": "hip"})
    assert (begun_again["version"], begun_again["based_on"]) == (1, 1)
    second = await submitted(lp, case, await filled(lp, case, region="hip"))
    assert (second.json["number"], second.json["state"]) == (2, "submitted")
    both = (await lp.get(f"/api/cases/{case}/referral")).json["versions"]
    assert both[0] == first[0]
    assert (both[1]["number"], both[1]["answers"]["region"]) == (2, "hip")
    async with site.database.read() as tx:
        for version in await referrals.versions_of(tx, case):
            assert version.sha256 == fingerprint(replace(version, sha256=""))
    assert [one for one in await audited(site, case) if one in ("case_submitted", "case_superseded")] == [
        "case_submitted", "case_superseded",
    ]  # fmt: skip


async def test_only_a_draft_as_it_was_seen_is_submitted_and_only_by_a_verified_physician(
    site: Website,
) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp)
    version = await filled(lp, case)
    await saved(lp, case, version, {"onset": "longer ago"}, editor="other")
    assert (await submitted(lp, case, version)).code == "referral_changed"
    async with site.database.write() as tx:
        await tx.exec_driver_sql("UPDATE accounts SET verified = false")
    refused = await submitted(lp, case, version + 1)
    assert (refused.status, refused.code) == (403, "not_verified")
    async with site.database.write() as tx:
        await tx.exec_driver_sql("UPDATE accounts SET verified = true")
    both = await asyncio.gather(submitted(lp, case, version + 1), submitted(lp, case, version + 1))
    assert sorted(one.status for one in both) == [201, 409], "pressed twice, submitted once"


async def test_a_referral_is_returned_with_what_is_asked_for_and_comes_again(site: Website) -> None:
    lp, kc = await site.signed_in("referring_physician"), await site.signed_in("coordinator")
    case = await begun(lp)
    await submitted(lp, case, await filled(lp, case, urgency="week"))
    (row,) = (await kc.get("/api/cases")).json["cases"]
    assert (row["why"], row["urgency"], row["due_ms"] - row["since_ms"]) == ("new", "week", 14 * 86_400_000)
    wrong = [
        ({"number": 1, "reason": "incomplete"}, "reason_missing"),
        ({"number": 1, "reason": "because", "words": "x"}, "reason_missing"),
        ({"number": 1, "reason": "other", "questions": ["imaging_date"]}, "reason_missing"),
        ({"number": 1, "reason": "incomplete", "questions": ["made_up"]}, "bad_request"),
        ({"number": 2, "reason": "incomplete", "words": "x"}, "referral_changed"),
    ]
    for body, code in wrong:
        assert (await kc.post(f"/api/cases/{case}/return", body)).code == code, body
    body = {
        "number": 1,
        "reason": "documents",
        "questions": ["imaging_findings", "patient.contact"],
        "words": "The CD is empty.",
    }
    assert (await kc.post(f"/api/cases/{case}/return", body)).json == {"state": "returned"}
    assert (await kc.post(f"/api/cases/{case}/return", body)).code == "wrong_state"
    (row,) = await waiting(lp)
    assert (row["why"], row["returns"]) == ("returned", "documents")
    returned = (await lp.get(f"/api/cases/{case}/draft")).json["returned"]
    assert (returned["questions"], returned["words"]) == (
        ["imaging_findings", "patient.contact"],
        "The CD is empty.",
    )
    again = await submitted(
        lp, case, await filled(lp, case, imaging_findings="New CD was sent by courier, see report.")
    )
    assert again.json["number"] == 2
    events = (await kc.get(f"/api/cases/{case}/referral")).json["events"]
    assert [(one["move"], one["before"], one["after"], one["role"]) for one in events] == [
        ("submit", "draft", "submitted", "referring_physician"),
        ("return", "submitted", "returned", "coordinator"),
        ("submit", "returned", "submitted", "referring_physician"),
    ]
    assert "case_resubmitted" in await audited(site, case)


async def test_a_matched_referral_waits_for_its_hour_and_then_for_its_site(site: Website) -> None:
    lp, kc = await site.signed_in("referring_physician"), await site.signed_in("coordinator")
    case = await begun(lp)
    await submitted(lp, case, await filled(lp, case))
    await matched(site, case)

    async def told(who: Browser) -> list[str]:
        return [one["why"] for one in await waiting(who)]

    assert (await told(kc), await told(lp)) == (["matched"], [])
    async with site.database.write() as tx:
        await referrals.set_case(tx, case, state="scheduled")
    assert (await told(kc), await told(lp)) == ([], ["scheduled"])


async def test_a_matched_referral_is_answered_in_writing_by_whoever_was_asked(site: Website) -> None:
    lp, kp = await site.signed_in("referring_physician"), await site.signed_in("consulting_physician")
    case = await begun(lp)
    await submitted(lp, case, await filled(lp, case, wish="written"))
    body = {"number": 1, "text": "Arthroscopy is not needed now. Exercises for 6 weeks, then MRI again."}
    assert (await kp.get(f"/api/cases/{case}/referral")).code == "forbidden"
    assert (await kp.post(f"/api/cases/{case}/answer", body)).code == "forbidden"
    await matched(site, case)
    (row,) = (await kp.get("/api/cases")).json["cases"]
    assert (row["id"], row["why"]) == (case, "asked")
    kc = await site.signed_in("coordinator")
    assert (await kc.get("/api/cases")).json["cases"] == [], "no hour is to be found"
    for text in ("", "   ", "ok", "yes yes yes yes yes yes yes"):
        assert (await kp.post(f"/api/cases/{case}/answer", body | {"text": text})).code == "answer_empty"
    assert (await kp.post(f"/api/cases/{case}/answer", body | {"number": 2})).code == "referral_changed"
    done = await kp.post(f"/api/cases/{case}/answer", body)
    assert (done.status, done.json) == (201, {"state": "answered"})
    assert (await kp.post(f"/api/cases/{case}/answer", body)).code == "wrong_state"
    shown = (await lp.get(f"/api/cases/{case}/referral")).json
    assert [one["text"] for one in shown["answers"]] == [body["text"]]
    assert [one["why"] for one in await waiting(lp)] == ["answered"]
    assert (await lp.get(f"/api/cases/{case}/draft")).code == "wrong_state"


async def test_the_consulting_physician_may_return_what_they_were_asked(site: Website) -> None:
    lp, kp = await site.signed_in("referring_physician"), await site.signed_in("consulting_physician")
    case = await begun(lp)
    await submitted(lp, case, await filled(lp, case))
    await matched(site, case)
    body = {"number": 1, "reason": "unclear", "words": "Which level?", "questions": ["diagnosis"]}
    assert (await kp.post(f"/api/cases/{case}/return", body)).json == {"state": "returned"}


async def test_a_cancelled_case_is_over_until_somebody_reopens_it_with_a_reason(site: Website) -> None:
    lp, kc = await site.signed_in("referring_physician"), await site.signed_in("coordinator")
    case = await begun(lp)
    await submitted(lp, case, await filled(lp, case))
    assert (await lp.post(f"/api/cases/{case}/cancel", {"reason": "other"})).code == "reason_missing"
    assert (await lp.post(f"/api/cases/{case}/cancel", {"reason": "treated_elsewhere"})).json[
        "state"
    ] == "cancelled"
    assert (
        await kc.post(f"/api/cases/{case}/return", {"number": 1, "reason": "unclear", "words": "?"})
    ).code == "wrong_state"
    assert (await lp.get(f"/api/cases/{case}/draft")).code == "wrong_state"
    assert (await kc.post(f"/api/cases/{case}/reopen", {"reason": "complication"})).json[
        "state"
    ] == "reopened"
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    assert draft["based_on"] == 1
    assert (await submitted(lp, case, await filled(lp, case))).json["number"] == 2


async def test_a_page_is_told_which_moves_are_its_own(site: Website) -> None:
    lp, kc = await site.signed_in("referring_physician"), await site.signed_in("coordinator")
    case = await begun(lp)
    await submitted(lp, case, await filled(lp, case))
    assert (await lp.get(f"/api/cases/{case}/referral")).json["moves"] == ["cancel", "submit"]
    assert (await kc.get(f"/api/cases/{case}/referral")).json["moves"] == ["cancel", "match", "return"]


async def test_every_look_at_a_referral_is_in_the_audit_chain_without_a_word_of_it(site: Website) -> None:
    lp, kc = await site.signed_in("referring_physician"), await site.signed_in("coordinator")
    case = await begun(lp)
    await submitted(lp, case, await filled(lp, case, diagnosis="Marked diagnosis of a synthetic knee"))
    await kc.post(f"/api/cases/{case}/return", {"number": 1, "reason": "unclear", "words": "Marked words"})
    await kc.get(f"/api/cases/{case}/referral")
    actions = await audited(site, case)
    assert actions == [
        "case_begun",
        "draft_read",
        "draft_saved",
        "case_submitted",
        "case_returned",
        "referral_read",
    ]
    async with site.database.read() as tx:
        assert await audit.first_broken(tx) is None
        text = str((await tx.exec_driver_sql("SELECT * FROM audit")).all())
    assert "Marked" not in text
    assert "Akhmetov" not in text


async def test_the_demo_case_has_a_whole_referral(site: Website) -> None:
    kp = await site.signed_in("consulting_physician")
    shown = (await kp.get(f"/api/cases/{CASE_ID}/referral")).json
    (version,) = shown["versions"]
    assert (version["form"], version["number"], shown["synthetic"]) == ("orthopaedics/1", 1, True)
    lp = await site.signed_in("referring_physician")
    draft = (await lp.get(f"/api/cases/{CASE_ID}/draft")).json
    assert [one for one in draft["problems"] if one["blocks"]] == []


async def test_a_form_is_sent_once(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    assert len((await lp.get("/api/referral-forms")).json["forms"]) == 10
    first = await lp.get("/api/referral-forms/ent")
    assert first.json["id"] == "ent/1"
    again = await lp.get("/api/referral-forms/ent", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert (await lp.get("/api/referral-forms/ent?version=1")).json == first.json
    for wrong in ("dentistry", "ent?version=2", "ent?version=x"):
        assert (await lp.get(f"/api/referral-forms/{wrong}")).code == "not_found"


async def test_what_is_no_save_is_refused_without_an_echo(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp)
    good: dict[str, Any] = {"version": 1, "editor": "p", "answers": {}}
    wrong: list[dict[str, Any]] = [
        good | {"answers": {"onset": 5}},
        good | {"answers": {"Onset": "marked"}},
        good | {"answers": {"onset": ["not a choice"]}},
        good | {"answers": {"onset": {"marked": 1}}},
        good | {"answers": {"history": "м" * 10_001}},
        good | {"answers": {f"q{n}": "" for n in range(201)}},
        good | {"version": 2},
        good | {"editor": "a b"},
        good | {"more": 1},
    ]
    for body in wrong:
        answer = await lp.post(f"/api/cases/{case}/draft", body)
        assert (answer.status, answer.code) == (400, "bad_request"), str(body)[:80]
        assert "marked" not in answer.text
    long_text = {"history": "м" * 10_000, "treatment": "가" * 10_000, "own_words": "가" * 10_000}
    assert (await saved(lp, case, 1, long_text))["answers"] == long_text, (
        "a page that was offline brings much"
    )


async def test_another_sites_physician_has_nothing_of_it(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    case = await begun(lp)
    version = await filled(lp, case)
    draft = (await lp.get(f"/api/cases/{case}/draft")).json
    async with site.database.write() as tx:
        await accounts.add_site(tx, Site("other-site-00000001", "Other (synthetic)", "Asia/Tashkent", "UZ"))
        await tx.exec_driver_sql("UPDATE accounts SET site_id = 'other-site-00000001'")
    body = {"version": version, "editor": "p", "answers": {}}
    assert (await lp.get(f"/api/cases/{case}/draft")).code == "forbidden"
    assert (await lp.post(f"/api/cases/{case}/draft", body)).code == "forbidden"
    assert (await submitted(lp, case, version)).code == "forbidden"
    assert (await lp.get(f"/api/cases/{case}/referral")).code == "forbidden"
    assert (await lp.get(f"/api/patients/{draft['patient']['id']}")).code == "forbidden"
    assert (
        await lp.post("/api/cases", {"specialty": "ent", "patient": draft["patient"]["id"]})
    ).code == "not_found"
    assert (await lp.get("/api/cases")).json["cases"] == []
