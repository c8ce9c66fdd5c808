"""What PostgreSQL cannot keep is refused before it gets there, with one code; nothing typed is a 500."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.domain.permissions import PERMISSIONS
from server.services.demo import ALMATY, CASE_ID, SEOUL
from server.web.routes import ROUTES
from signaling.messages import parse, parse_connect
from signaling.wire import BadMessage
from tests.integration import test_web_hostile as hostile
from tests.support.postgres import PostgresServer
from tests.support.website import Website, website

ZERO = "Nur\x00lan"
PERSON = {"name": "Somebody", "email": "new@demo.invalid", "language": "ru", "roles": ["interpreter"]}


@pytest.fixture
async def site(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Website]:
    more = {"signin_per_address": 100_000, "signin_per_account": 100_000}
    async with website(tmp_path / "data", database_url=await postgres.migrated(), **more) as made:
        yield made


async def test_a_zero_character_is_refused_with_one_code_wherever_it_stands(site: Website) -> None:
    stranger, admin = site.browser(), await site.signed_in("programme_admin")
    physician, seat = await site.signed_in("referring_physician"), site.seat("interpreter")
    people = f"/api/sites/{ALMATY}/people"
    email, password = site.password("reviewer")
    for browser, path, body in (
        (stranger, "/api/sign-in", {"email": f"\x00{email}", "password": password}),
        (stranger, "/api/sign-in", {"email": email, "password": "\x00"}),
        (stranger, "/api/password/forgot", {"email": f"{email}\x00"}),
        (stranger, f"/api/seats/{seat[0]}/knock", {"token": seat[1], "name": ZERO}),
        (admin, people, PERSON | {"name": ZERO}),
        (admin, people, PERSON | {"email": "nur\x00lan@demo.invalid"}),
        (admin, f"/api/sites/{SEOUL}", {"name": "x", "time_zone": "Asia/Seoul", "country": "K\x00"}),
        (admin, f"/api/calendars/{SEOUL}/rooms", {"name": ZERO}),
        (admin, f"/api/people/{'x' * 22}/licence", {"number": ZERO, "country": "KZ", "institution": "B"}),
        (physician, f"/api/cases/{CASE_ID}/glossary", {"texts": {"ru": ZERO}}),
        (physician, "/api/patients/alike", {"name": ZERO}),
    ):
        answer = await browser.post(path, body)
        if answer.status != 404:  # whatever is not there is said to be so first
            assert (answer.status, answer.code) == (400, "text_refused"), (path, answer.text)
    said = await admin.post(people, PERSON | {"name": "a backslash \\u0000 and four noughts"})
    assert said.status == 201, "what only looks like one is kept as it was typed"
    assert said.json["name"] == "a backslash \\u0000 and four noughts"
    for route in ROUTES:
        if "{" in route.path and "/static" not in route.path:
            answer = await stranger.ask(route.method, hostile.fill(route.path, {}, "%00"), json=None)
            assert answer.code == "text_refused", route.path
    assert (await stranger.get("/api/sign-in/ways?x=%00")).code == "text_refused"


async def test_other_control_characters_are_taken_out_or_refused_by_the_field(site: Website) -> None:
    admin = await site.signed_in("programme_admin")
    people = f"/api/sites/{ALMATY}/people"
    made = await admin.post(people, PERSON | {"name": "Nur\x07lan\x1b \x85Demo"})
    assert made.json["name"] == "Nur lan Demo"
    for email in ("a\x07b@demo.invalid", "a@demo.inva\x1flid", "a\x7f@demo.invalid", "a\u202e@demo.invalid"):
        answer = await admin.post(people, PERSON | {"email": email})
        assert answer.json["error"]["fields"] == {"email": "email"}, repr(email)
    assert (await admin.post(f"/api/calendars/{SEOUL}/rooms", {"name": "A\x07"})).code == "bad_request"


async def test_a_draft_is_saved_without_it(site: Website) -> None:
    physician = await site.signed_in("referring_physician")
    case = (await physician.post("/api/cases", {"specialty": "urology"})).json["id"]
    draft = (await physician.get(f"/api/cases/{case}/draft")).json
    answers = {"question": "Is it\x00 a stone?\x02\nSince May."}
    body = {"version": draft["version"], "editor": "page-1", "answers": answers}
    for wrong in ({"editor": "\x00"}, {"settled": ["\x00"]}):
        assert (await physician.post(f"/api/cases/{case}/draft", body | wrong)).code == "bad_request"
    saved = await physician.post(f"/api/cases/{case}/draft", body)
    assert saved.status == 200, saved.text
    now = (await physician.get(f"/api/cases/{case}/draft")).json["answers"]
    assert now["question"] == "Is it a stone?\nSince May.", "what somebody typed is not lost for one of these"


async def test_what_grows_when_it_is_made_alike_or_is_no_text_at_all_is_no_500_either(site: Website) -> None:
    stranger = site.browser()
    asked = await stranger.post("/api/password/forgot", {"email": "İ" * 253})
    assert asked.status == 202, asked.text
    email, password = site.password("reviewer")
    body = {"email": email, "password": password}
    async with aiohttp.ClientSession(site.address) as http:
        agent = {"User-Agent": "Demo \udcff browser"}
        async with http.post("/api/sign-in", json=body, headers=agent) as answer:
            assert answer.status == 200
    browser = await site.signed_in("interpreter")
    seat, token = site.seat("interpreter")
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    consent = {"decision": "granted", "persons": [], "language": "en-abcdefgh", "version": "1"}
    assert (await browser.post(f"/api/seats/{seat}/consent", consent)).code == "bad_request"


@pytest.mark.parametrize(
    "sent",
    [
        ("chat", {"client_id": "1", "text": "a\x00b"}),
        ("term", {"term": "a\x00"}),
        ("pause", {"reason": "other\x00"}),
    ],
)
def test_nor_does_a_socket_take_one(sent: tuple[str, dict[str, Any]]) -> None:
    with pytest.raises(BadMessage):
        parse(*sent)
    with pytest.raises(BadMessage):
        parse_connect({"seat": "a\x00"})


@pytest.mark.long
async def test_whatever_is_sent_to_whatever_route_is_refused_on_postgresql_too(site: Website) -> None:
    await hostile.test_hostile_bodies_are_refused_by_every_route(site)
    for path in hostile.GETS:
        await hostile.test_hostile_ids_are_refused_by_every_route(site, path)
    roles = sorted({role for row in PERMISSIONS.values() for role in row if "@" in _email(site, role)})
    for role in roles:
        browser = await site.signed_in(role)
        for path in hostile.POSTS:
            if path != "/api/sign-out":
                answer = await browser.post(hostile.fill(path, {"case": CASE_ID}, "none"), {"name": ZERO})
                assert answer.status < 500 or answer.code in ("not_ready", "provider_down"), (role, path)


def _email(site: Website, role: str) -> str:
    return next((one.email for one in site.table.accounts if one.role == role), "")
