"""Consents over HTTP: given by purpose, witnessed, acted on by the seats' grants, taken back by patients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.domain.consent import CONSENT_VERSION
from server.domain.documents import Document, State
from server.domain.people import Account, Site
from server.domain.retention import DEFAULT_CLASS, years_of
from server.services.context import NoRooms
from server.services.demo import ALMATY, CASE_ID, PATIENT, SEOUL
from server.services.demo_referral import PATIENT_ID
from server.storage import accounts, audit, cases, destructions, documents, sessions, site_policies
from server.storage.ids import hashed
from signaling.store import StoreAwayError
from tests.support.website import Browser, Website, website

BASE = f"/api/cases/{CASE_ID}/consents"
NEEDED = ["consultation", "recording", "transfer_abroad"]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", patient=True) as made:
        yield made


async def asked(browser: Browser, decision: str = "granted", *purposes: str, **how: Any) -> dict[str, Any]:
    """The body that a page sends: the texts as they were shown."""
    told = (await browser.get(f"{BASE}/texts/ru")).json
    decisions = [
        {key: text[key] for key in ("purpose", "version", "sha256")} | {"decision": decision}
        for text in told["texts"]
        if not purposes or text["purpose"] in purposes
    ]
    return {
        "language": "ru", "by": "patient", "name": "Пациент", "method": "typed", "decisions": decisions
    } | how  # fmt: skip


async def at_the_door(site: Website, role: str, *beside: str, decision: str = "granted") -> dict[str, Any]:
    seat, token = site.seat(role)
    browser = site.browser()
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    return await answers(browser, seat, *beside, decision=decision)


async def answers(browser: Browser, seat: str, *beside: str, decision: str = "granted") -> dict[str, Any]:
    body = {
        "decision": decision, "persons": ["Own", *beside], "language": "ru", "version": CONSENT_VERSION
    }  # fmt: skip
    answer = await browser.post(f"/api/seats/{seat}/consent", body)
    assert answer.status == 200, answer.text
    told: dict[str, Any] = answer.json
    return told


async def grants(site: Website) -> dict[str, bool]:
    view = await site.services.rooms.view(site.table.consultation_id)
    return {seat.role: seat.grant is not None for seat in view.seats}


def states(page: dict[str, Any]) -> dict[str, str]:
    return {one["purpose"]: one["state"] for one in page["purposes"]}


async def test_a_patient_beside_the_physician_is_recorded_once_all_that_it_needs_was_agreed_to(
    site: Website,
) -> None:
    lp = await site.signed_in("referring_physician")
    told = await at_the_door(site, "referring_physician", "@patient")
    assert (told["decision"], told["missing"]) == ("granted", NEEDED)
    assert not (await grants(site))["referring_physician"]
    given = await lp.post(BASE, await asked(lp, "granted", "consultation", "recording"))
    assert (given.status, given.json["missing"]) == (201, ["transfer_abroad"])
    assert not (await grants(site))["referring_physician"]
    given = await lp.post(BASE, await asked(lp, "granted", "transfer_abroad"))
    assert given.json["missing"] == []
    assert (await grants(site))["referring_physician"]
    refused = await lp.post(BASE, await asked(lp, "declined", "transfer_abroad"))
    assert states(refused.json)["transfer_abroad"] == "declined"
    assert not (await grants(site))["referring_physician"]
    persons = next(one for one in refused.json["seats"] if one["role"] == "referring_physician")["persons"]
    assert persons[1] == "Synthetic Patient (synthetic)", "by the name they are registered under"


async def test_a_patients_name_at_another_door_needs_the_patients_own_word(site: Website) -> None:
    told = await at_the_door(site, "referring_physician", "Синтетический Пациент (synthetic)")
    assert told["missing"] == NEEDED


async def test_a_patient_answers_at_their_own_door_for_what_being_recorded_needs(site: Website) -> None:
    assert await at_the_door(site, "patient") == {"decision": "granted", "missing": []}
    page = (await (await site.signed_in("coordinator")).get(BASE)).json
    assert {one: states(page)[one] for one in NEEDED} == dict.fromkeys(NEEDED, "granted")
    assert states(page)["teaching"] == "undecided"
    assert {row["role"]: len(row["read"]) for row in page["seats"]}["patient"] == 3


async def test_what_was_read_aloud_counts_when_a_second_account_has_witnessed_it(site: Website) -> None:
    lo, lp = await site.signed_in("site_operator"), await site.signed_in("referring_physician")
    body = await asked(lo, "granted", "recording", method="read_aloud", witness="Айгерим Д.")
    page = (await lo.post(BASE, body)).json
    assert states(page)["recording"] == "unwitnessed"
    ids = [page["purposes"][1]["decisions"][0]["id"]]
    assert (await lo.post(f"{BASE}/witness", {"consents": ids})).code == "witness_self"
    page = (await lp.post(f"{BASE}/witness", {"consents": ids})).json
    assert states(page)["recording"] == "granted"
    assert page["purposes"][1]["decisions"][0]["witnessed_by"].startswith("Айгерим")
    assert (await lp.post(f"{BASE}/witness", {"consents": ids})).code == "not_found"


async def test_a_consent_that_is_not_whole_is_refused_with_what_is_missing(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    hows: list[tuple[dict[str, str], str]] = [
        ({"name": " "}, "name_missing"),
        ({"by": "guardian"}, "guardian_unknown"),
        ({"method": "drawn", "drawing": "M0 0"}, "drawing_refused"),
        ({"method": "read_aloud"}, "witness_missing"),
        ({"method": "paper", "document": "unknown"}, "paper_missing"),
        ({"language": "xx"}, "not_found"),
    ]
    for how, code in hows:
        assert (await lp.post(BASE, await asked(lp, **how))).code == code
    outdated = await asked(lp)
    outdated["decisions"][0]["sha256"] = "0" * 64
    assert (await lp.post(BASE, outdated)).code == "consent_outdated"
    assert set(states((await lp.get(BASE)).json).values()) == {"undecided"}, "nothing of it was kept"


async def test_the_text_that_was_agreed_to_stays_readable_with_its_places(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    page = (await lp.post(BASE, await asked(lp, "granted", "transfer_abroad"))).json
    one = page["purposes"][2]["decisions"][0]
    told = (await lp.get(f"{BASE}/{one['id']}/text")).json
    assert (told["text"]["sha256"], told["text"]["language"]) == (one["sha256"], "ru")
    assert told["places"] == {
        "clinic": "Almaty Demo Clinic (synthetic)", "recipients": ["Seoul Demo Hospital (synthetic)"],
        "countries": ["KR"], "years": years_of(DEFAULT_CLASS, {}),
    }  # fmt: skip
    assert (await lp.get(f"{BASE}/unknown/text")).code == "not_found"


async def test_who_may_not_know_the_patient_sees_decisions_and_no_name(site: Website) -> None:
    await at_the_door(site, "patient")
    page = await (await site.signed_in("privacy_officer")).get(BASE)
    assert page.json["patient"] is None
    assert PATIENT.name not in page.text
    assert "Own" not in page.text
    assert states(page.json)["recording"] == "granted"


async def code_of(site: Website) -> str:
    made = (await (await site.signed_in("referring_physician")).post(f"{BASE}/code")).json
    assert made["url"].endswith(f"/my#{made['code']}")
    code: str = made["code"]
    return code


async def test_a_patient_sees_who_has_looked_and_takes_back_the_recording_by_their_own_code(
    site: Website,
) -> None:
    seat = site.seat("patient")[0]
    await at_the_door(site, "patient")
    opened = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    code, stranger = await code_of(site), site.browser()
    assert (await (await site.signed_in("consulting_physician")).get(f"/api/cases/{CASE_ID}")).status == 200
    page = (await stranger.post("/api/my/consents", {"code": code.replace("-", " ").upper()})).json
    assert states(page)["recording"] == "granted"
    (hour,) = page["hours"]
    assert [place["time_zone"] for place in hour] == ["Asia/Almaty", "Asia/Seoul"], "when they are expected"
    looked = next(one for one in page["seen"] if one["action"] == "case_read")
    assert (looked["name"], looked["count"]) == ("김데모 (synthetic)", 1)
    assert looked["roles"] == ["consulting_physician"]
    one = page["purposes"][1]["decisions"][0]["id"]
    text = await stranger.post("/api/my/consents/text", {"code": code, "consent": one})
    assert text.json["text"]["purpose"] == "recording"
    gone = await stranger.post("/api/my/consents/withdraw", {"code": code, "purpose": "recording"})
    assert (gone.status, gone.json) == (202, {"recordings": 1})
    again = await stranger.post("/api/my/consents/withdraw", {"code": code, "purpose": "recording"})
    assert again.code == "not_given"
    assert not (await grants(site))["patient"]
    kept = (await (await site.signed_in("referring_physician")).get(f"/api/cases/{CASE_ID}/retention")).json
    (recording,) = kept["recordings"]
    assert recording["id"] == opened.id
    assert [one["id"] for one in recording["seats"] if one["withdrawn"]] == [seat]


class Unreachable(NoRooms):
    """The rooms while Redis is away."""

    async def consent_changed(self, *_: object, **__: object) -> None:
        raise StoreAwayError


async def test_a_recording_that_is_taken_back_while_the_rooms_are_away_is_destroyed_all_the_same(
    site: Website,
) -> None:
    await at_the_door(site, "patient")
    opened = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    code = await code_of(site)
    site.services.context.live = Unreachable()
    gone = await site.browser().post("/api/my/consents/withdraw", {"code": code, "purpose": "recording"})
    assert gone.status >= 500
    async with site.database.read() as tx:
        assert await destructions.blocked(tx, opened.id) == {site.seat("patient")[0]}
    assert not (await grants(site))["patient"]


async def test_a_patient_sees_every_kind_of_look_and_whoever_opened_their_registration(
    site: Website,
) -> None:
    lp = await site.signed_in("referring_physician")
    mine = (await lp.get("/api/me")).json["account"]["id"]
    code = await code_of(site)
    assert (await lp.get(f"/api/patients/{PATIENT_ID}")).status == 200
    async with site.database.write() as tx:
        for action in ("rendering_heard", "documents_listed", "draft_saved"):
            entry = audit.Entry(action, "case", CASE_ID, "", account_id=mine, case_id=CASE_ID)
            await audit.append(tx, site.clock(), entry)
        await audit.append(tx, site.clock(), audit.Entry("patient_read", "patient", "another", ""))
    for _ in range(2):
        page = (await site.browser().post("/api/my/consents", {"code": code})).json
        assert {one["action"]: one["count"] for one in page["seen"]} == {
            "patient_read": 1, "rendering_heard": 1, "documents_listed": 1
        }, "and not the patient's own"  # fmt: skip


async def test_a_code_dies_with_the_next_one_and_after_three_days_and_is_not_kept(site: Website) -> None:
    first, stranger = await code_of(site), site.browser()
    assert (await stranger.post("/api/my/consents", {"code": first})).status == 200
    second = await code_of(site)
    assert (await stranger.post("/api/my/consents", {"code": first})).code == "code_unknown"
    assert (await stranger.post("/api/my/consents", {"code": second})).status == 200
    site.clock.advance(hours=73)
    assert (await stranger.post("/api/my/consents", {"code": second})).code == "code_unknown"
    assert hashed(second.replace("-", "")) != second


async def test_codes_cannot_be_tried_as_fast_as_a_machine_would(site: Website) -> None:
    thief = site.browser("203.0.113.77")
    told = [(await thief.post("/api/my/consents", {"code": f"{n:012}"})).code for n in range(40)]
    assert set(told[:5]) == {"code_unknown"}
    assert told[-1] == "too_many_attempts"


async def test_the_seat_rule_is_switched_for_a_pair_of_sites_and_a_session_keeps_what_it_began_under(
    site: Website,
) -> None:
    room = site.table.consultation_id

    async def accompanied() -> set[str]:
        return {seat.role for seat in (await site.services.rooms.view(room)).seats if seat.accompanied}

    po, pair = await site.signed_in("privacy_officer"), {"referring": ALMATY, "consulting": SEOUL}
    change = pair | {"version": 1, "seat_rule": "required", "legal_basis": "medical_personnel"}
    assert await accompanied() == set(), "the demo's links seat people whom nobody verified"
    session = await site.services.rooms.open_session(room, site.clock())
    assert (await po.post("/api/policies", change)).status == 204
    assert await accompanied() == set(), "the session began under the other one"
    await site.services.rooms.end_session(room, session.id, "emptied", site.clock())
    assert await accompanied() == {"patient"}
    assert (await po.post("/api/policies", change)).code == "policy_changed"
    back = change | {"version": 2, "seat_rule": "not_required", "legal_basis": "direct_care"}
    assert (await po.post("/api/policies", back)).status == 204
    assert await accompanied() == set()
    (row,) = (await po.get("/api/policies")).json["pairs"]
    assert [one["seat_rule"] for one in row["decisions"]] == ["not_required", "required", "not_required"]
    async with site.database.read() as tx:
        kept = await site_policies.of_session(tx, session.id)
        assert [(one.version, one.legal_basis) for one in kept] == [(1, "demonstration")]
        assert await audit.first_broken(tx) is None
        assert (await sessions.by_id(tx, session.id)) is not None


async def test_a_site_that_comes_into_a_running_session_brings_its_own_rule(site: Website) -> None:
    room = site.table.consultation_id
    await site.services.rooms.open_session(room, site.clock())
    assert not any(seat.accompanied for seat in (await site.services.rooms.view(room)).seats)
    roles = ("consulting_physician",)
    third = Account("third", "third@demo.invalid", "Third", "en", "third-site", roles, True, False, "UTC")
    async with site.database.write() as tx:
        await accounts.add_site(tx, Site("third-site", "Third (synthetic)", "Asia/Tashkent", "UZ"))
        await accounts.add_account(tx, third, "x")
        await cases.add_person(tx, CASE_ID, third.id, "invited")
    seats = (await site.services.rooms.view(room)).seats
    assert {seat.role for seat in seats if seat.accompanied} == {"patient"}, "nobody decided: the strictest"


async def test_an_administrator_changes_pairs_of_their_own_site_only(site: Website) -> None:
    sa = await site.signed_in("site_admin")
    async with site.database.write() as tx:
        await accounts.add_site(tx, Site("third-site", "Third (synthetic)", "Asia/Tashkent", "UZ"))
    change = {"referring": ALMATY, "consulting": "third-site", "version": 0, "seat_rule": "not_required"}
    foreign = await sa.post("/api/policies", change | {"legal_basis": "direct_care"})
    assert foreign.code == "forbidden"
    own = await sa.post("/api/policies", change | {"referring": SEOUL, "legal_basis": "direct_care"})
    assert own.status == 204


async def test_the_door_shows_what_is_asked_to_who_holds_its_link_and_to_nobody_else(site: Website) -> None:
    seat, token = site.seat("patient")
    path, stranger = f"/api/seats/{seat}/consent-texts", site.browser()
    told = (await stranger.post(path, {"language": "ko", "token": token})).json
    assert [(one["purpose"], one["language"]) for one in told["texts"]] == [(one, "ko") for one in NEEDED]
    assert (await stranger.post(path, {"language": "ko"})).code == "no_credential"
    assert (await stranger.post(path, {"language": "ko", "token": "wrong"})).code == "link_unknown"


async def test_a_scanned_paper_among_the_documents_of_the_case_is_a_consent_too(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    mine = (await lp.get("/api/me")).json["account"]["id"]
    scan = Document(
        "scan-1", CASE_ID, "r1", "consent.pdf", "consent", "site", False, State.READY, 9, 9, "", "0" * 64,
        mine, 1, 1,
    )  # fmt: skip
    async with site.database.write() as tx:
        await documents.add(tx, scan)
    assert [one["id"] for one in (await lp.get(BASE)).json["papers"]] == ["scan-1"]
    given = await lp.post(BASE, await asked(lp, "granted", "recording", method="paper", document="scan-1"))
    assert states(given.json)["recording"] == "granted"
    elsewhere = await site.signed_in("site_operator")
    assert (await elsewhere.get(BASE)).json["papers"] == [], "an operator sees what they brought"
