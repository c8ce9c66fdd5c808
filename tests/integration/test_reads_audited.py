"""Whatever shows something of a patient leaves an entry: by whom, from where, whose data, what. Every route.

A new route that reads needs a row here; one that shows a patient and writes no entry fails, row or not.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.domain.permissions import Action
from server.domain.trail import LISTS, SHOWN, is_look
from server.services.demo import ALMATY, CASE_ID, SEOUL
from server.services.demo_referral import PATIENT_ID, PERSON
from server.storage.schema_audit import audit
from server.web.routes import ROUTES
from server.web.shown import SHOWS
from tests.integration.test_consents_web import BASE as CONSENTS
from tests.integration.test_consents_web import asked
from tests.integration.test_web_access import recording_of
from tests.support.uploads import ByFirstBytes, brought, pdf
from tests.support.website import Browser, Website, website

#: Every route that shows something of a patient, and what its entry says was done.
READS = {
    "GET /api/worklist": "patients_listed",
    "GET /api/cases/{case}": "case_read",
    "GET /api/patients/{patient}": "patient_read",
    "POST /api/patients/search": "patients_searched",
    "GET /api/cases/{case}/draft": "draft_read",
    "GET /api/cases/{case}/referral": "referral_read",
    "GET /api/cases/{case}/consents": "consents_read",
    "GET /api/cases/{case}/consents/{consent}/text": "consents_read",
    "POST /api/my/consents": "own_consents_read",
    "POST /api/my/consents/text": "own_consents_read",
    "GET /api/cases/{case}/documents": "documents_listed",
    "GET /api/cases/{case}/documents/{document}": "document_looked",
    "GET /api/cases/{case}/documents/{document}/pages/{page}": "document_looked",
    "GET /api/cases/{case}/documents/{document}/content": "document_downloaded",
    "GET /api/cases/{case}/match": "match_read",
    "GET /api/cases/{case}/retention": "patients_listed",
    "GET /api/cases/{case}/glossary": "glossary_read",
    "POST /api/cases/{case}/glossary/search": "glossary_read",
    "GET /api/cases/{case}/glossary/history": "glossary_read",
    "GET /api/cases/{case}/glossary/{term}/history": "glossary_read",
    "GET /api/cases/{case}/glossary/file": "glossary_exported",
    "GET /api/seats/{seat}/glossary": "glossary_read",
    "POST /api/seats/{seat}/glossary/search": "glossary_read",
    "GET /api/seats/{seat}/glossary/history": "glossary_read",
    "GET /api/seats/{seat}/glossary/{term}/history": "glossary_read",
    "GET /api/seats/{seat}/glossary/file": "glossary_exported",
    "GET /api/seats/{seat}": "patients_listed",
    "GET /api/seats/{seat}/chat": "chat_read",
    "GET /api/recordings/{recording}": "recording_opened",
    "GET /api/recordings/{recording}/tracks/{track}": "recording_track_opened",
    "GET /api/recordings/{recording}/chat": "chat_read",
    "GET /api/recordings/{recording}/conduct": "recording_opened",
    "GET /api/recordings/{recording}/interpretation": "recording_opened",
    "GET /api/recordings/{recording}/exports/{export}/file": "export_downloaded",
    "GET /api/flags/{flag}": "rendering_heard",
    "GET /api/flags/{flag}/tracks/{track}": "rendering_heard",
}
#: Those that show nothing of one: no name, no date of birth, no word of a record.
SHOW_NOTHING = [
    "/api/sign-in/ways",
    "/sign-in/provider",
    "/api/me",
    "/api/account/local-key",
    "/api/account/sessions",
    "/api/account/security",
    "/api/account/feed",
    "/calendar/{token}.ics",
    "/api/account/audit",
    "/api/audit/logins",
    "/api/audit/chain",
    "/api/audit/reviews",
    "/api/audit/reviews/{review}",
    "/api/audit/reviews/{review}/file",
    "/api/break-glass",
    "/api/cases/{case}/schedule",
    "/api/calendars/{calendar}",
    "/api/interpreters",
    "/api/sites",
    "/api/sites/{site}",
    "/api/people",
    "/api/people/{person}",
    "/api/hours-at-risk",
    "/api/sites/{site}/self-tests",
    "/api/site-checks",
    "/api/referral-forms",
    "/api/referral-forms/{specialty}",
    "/api/cases",
    "/api/cases/{case}/consents/texts/{language}",
    "/api/policies",
    "/api/cases/{case}/documents/{document}/upload",
    "/api/departments",
    "/api/departments/{department}/ahead",
    "/api/departments/{department}/physicians/{physician}/ahead",
    "/api/matching/rules/{specialty}",
    "/api/retention",
    "/api/cases/{case}/periods",
    "/api/cases/{case}/receipts/{receipt}",
    "/api/interpreter-hours",
    "/api/seats/{seat}/knock",
    "/api/seats/{seat}/past",
    "/api/seats/{seat}/receipts/{receipt}",
    "/api/glossaries",
    "/api/seats/{seat}/arrivals",
    "/api/seats/{seat}/conduct",
    "/api/flags",
    "/api/recordings/{recording}/exports",
]
HOLD_NO_DATA = (Action.PAGE, Action.HEALTH)
TERM, SAID, FILE_WORD = "zzmeniscus-term", "zzchat-of-the-patient", "zznote"
MARKS = (*PERSON.names.values(), PERSON.birth_date, "meniscus", TERM, SAID, "I want to walk with my grand")
UNKNOWN = re.findall(
    r"\w+",
    "session hold glass review receipt consultation absence proposal department physician export token "
    "passkey interpreter test person",
)
#: These show a patient only where there is one to be named, or something was said.
WHERE_NAMED = ("GET /api/worklist", "GET /api/recordings/{recording}/chat")
#: Nothing is recorded and finalised here: they have tests of their own.
OF_MEDIA = {
    "GET /api/recordings/{recording}",
    "GET /api/recordings/{recording}/tracks/{track}",
    "GET /api/recordings/{recording}/interpretation",
    "GET /api/recordings/{recording}/exports/{export}/file",
    "GET /api/flags/{flag}",
    "GET /api/flags/{flag}/tracks/{track}",
}
#: Of these the bytes are what is shown.
BYTES = ("/content", "/pages/{page}", "/tracks/{track}")
ROLES = ("referring_physician", "consulting_physician", "coordinator", "interpreter", "reviewer")
FROM = "203.0.113.50"


def named(method: str, path: str) -> str:
    return f"{method} {path}"


def test_every_route_that_reads_says_whether_it_shows_a_patient() -> None:
    reading = {
        named(route.method, route.path)
        for route in ROUTES
        if route.method == "GET" and route.action not in HOLD_NO_DATA
    }
    rows = {one for one in READS if one.startswith("GET")} | {named("GET", path) for path in SHOW_NOTHING}
    assert reading == rows, reading ^ rows
    assert not set(READS) - {named(route.method, route.path) for route in ROUTES}
    assert [one for one in READS.values() if not is_look(one)] == []


def test_what_the_guard_writes_is_what_the_table_says() -> None:
    assert {key: READS.get(key) for key in SHOWS} == SHOWS


@dataclass
class Rig:
    """A case with something of everything, and the ids to ask for it."""

    site: Website
    ids: dict[str, str]
    code: str = ""
    wrong: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)

    async def rows(self, *which: Any) -> list[Any]:
        async with self.site.database.read() as tx:
            return list((await tx.execute(select(audit).where(*which).order_by(audit.c.id))).all())

    async def ask(self, browser: Browser, account: str | None, seat: str | None, key: str) -> None:
        method, path = key.split(" ", 1)
        where = path.format_map(self.ids)
        if path.endswith("/content"):
            where += "?reason=treatment"
        if path.endswith(BYTES):
            shows = await self.bytes_of(browser, where)
        else:
            answer = await browser.ask(method, where, json=self.body(path) if method == "POST" else None)
            told = answer.text if answer.json is None else json.dumps(answer.json, ensure_ascii=False)
            always = key in READS and key not in WHERE_NAMED
            shows = answer.status == 200 and (always or any(mark in told for mark in MARKS))
        if not shows:
            return
        self.shown.add(key)
        expected = READS.get(key)
        if expected is None:
            self.wrong.append(f"{key} shows a patient and has no row")
            return
        found = await self.rows(audit.c.action == expected, audit.c.address == FROM)
        if not any(self.about(row) and (row.account_id, row.seat_id) == (account, seat) for row in found):
            self.wrong.append(f"{key}: no {expected} of {account or seat}")

    async def bytes_of(self, browser: Browser, where: str) -> bool:
        async with browser._http.get(where) as response:
            return response.status in (200, 206) and bool(await response.read())

    def about(self, row: Any) -> bool:
        listed = row.action in LISTS and PATIENT_ID in str(row.detail.get(SHOWN, "")).split()
        return row.patient_id == PATIENT_ID or listed

    def body(self, path: str) -> dict[str, Any]:
        if path.endswith("/glossary/search"):
            return {"query": TERM}
        if path == "/api/patients/search":
            return {"name": "", "birth_date": PERSON.birth_date}
        if path.startswith("/api/my"):
            return {"code": self.code} | ({"consent": self.ids["consent"]} if path.endswith("text") else {})
        return {}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with website(tmp_path / "data", patient=True, decoder=ByFirstBytes()) as site:
        lp = await site.signed_in("referring_physician")
        recording = await recording_of(site)
        document = await brought(site, lp, pdf(500), visibility="case")
        term = await lp.post(f"/api/cases/{CASE_ID}/glossary", {"texts": {"en": TERM}, "note": FILE_WORD})
        assert term.status == 201, term.text
        consent = await lp.post(CONSENTS, await asked(lp, "granted", "consultation"))
        assert consent.status == 201, consent.text
        page = (await lp.get(CONSENTS)).json
        given = page["purposes"][0]["decisions"][0]["id"]
        code = (await lp.post(f"{CONSENTS}/code")).json["code"]
        kc = await site.signed_in("coordinator")
        await kc.post(f"/api/cases/{CASE_ID}/match", {})
        seat = site.seat("interpreter")[0]
        await site.services.chat.say(seat, recording, "m-1", SAID)
        ids = dict.fromkeys(UNKNOWN, "unknown")
        ids |= {
            "case": CASE_ID, "patient": PATIENT_ID, "recording": recording, "document": document,
            "term": term.json["id"], "consent": given, "seat": seat, "site": ALMATY, "calendar": SEOUL,
            "flag": "flag", "track": "none", "page": "0", "specialty": "oncology", "language": "ru",
        }  # fmt: skip
        yield Rig(site, ids, code)


READING = {
    named(route.method, route.path)
    for route in ROUTES
    if route.method == "GET" and route.action not in HOLD_NO_DATA
}
KEYS = sorted(READING | set(READS))


async def test_whatever_shows_the_patient_has_left_its_entry_with_all_it_must_say(rig: Rig) -> None:
    for role in ROLES:
        browser = await rig.site.signed_in(role, FROM)
        me = (await browser.get("/api/me")).json["account"]["id"]
        for key in KEYS:
            if "{seat}" not in key and "/api/my/" not in key:
                await rig.ask(browser, me, None, key)
    for role in ("interpreter", "patient", "consulting_physician"):
        seat, token = rig.site.seat(role)
        rig.ids["seat"], browser = seat, rig.site.browser(FROM)
        assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
        for key in KEYS:
            if "{seat}" in key:
                await rig.ask(browser, None, seat, key)
    own = rig.site.browser(FROM)
    for key in ("POST /api/my/consents", "POST /api/my/consents/text"):
        await rig.ask(own, None, None, key)
    assert not rig.wrong, "\n".join(rig.wrong)
    assert rig.shown >= set(READS) - OF_MEDIA, sorted(set(READS) - OF_MEDIA - rig.shown)


async def test_what_a_page_asks_for_again_and_again_is_one_entry_for_ten_minutes(rig: Rig) -> None:
    site = rig.site
    browser = await site.signed_in("consulting_physician", FROM)
    before = len(await rig.rows())
    for _ in range(4):
        assert (await browser.get("/api/worklist")).status == 200
        assert (await browser.get(f"/api/cases/{CASE_ID}/glossary")).status == 200
    assert [row.action for row in (await rig.rows())[before:]] == ["patients_listed", "glossary_read"]
    site.clock.advance(seconds=601)
    await browser.get(f"/api/cases/{CASE_ID}/glossary")
    assert [row.action for row in (await rig.rows())[before:]][2:] == ["glossary_read"]
    site.clock.advance(seconds=-300)
    await browser.get(f"/api/cases/{CASE_ID}/glossary")
    assert [row.action for row in (await rig.rows())[before:]][3:] == ["glossary_read"], "a clock put back"
    other = await site.signed_in("reviewer", FROM)
    await other.get(f"/api/cases/{CASE_ID}/glossary")
    assert (await rig.rows())[-1].action == "glossary_read", "somebody else's is theirs"


async def test_a_look_that_cannot_be_written_is_not_shown(rig: Rig) -> None:
    browser = await rig.site.signed_in("consulting_physician", FROM)
    async with rig.site.database.write() as tx:
        await tx.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON audit "
            "WHEN NEW.action IN ('glossary_read', 'patients_listed') BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    for path in (f"/api/cases/{CASE_ID}/glossary", "/api/worklist"):
        answer = await browser.get(path)
        assert answer.status == 500, path
        assert TERM not in answer.text


async def test_a_patient_is_told_of_lists_that_named_them(rig: Rig) -> None:
    lo = await rig.site.signed_in("site_operator", FROM)
    await lo.post("/api/patients/search", {"name": "", "birth_date": PERSON.birth_date})
    kp = await rig.site.signed_in("consulting_physician", FROM)
    await kp.get("/api/worklist")
    page = (await rig.site.browser().post("/api/my/consents", {"code": rig.code})).json
    told = {(one["action"], one["roles"][0]) for one in page["seen"]}
    assert {("patients_searched", "site_operator"), ("patients_listed", "consulting_physician")} <= told
