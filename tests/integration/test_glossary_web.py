"""A case's glossary over HTTP, alike on SQLite and on PostgreSQL: found, changed, confirmed, refused."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.domain.glossary import MAX_TERMS, Term, Wording
from server.services.demo import CASE_ID, SITES
from server.storage import audit, cases, glossary
from tests.support.website import Answer, Browser, Website, website

OTHER = "another-case-000001"
CASE = f"/api/cases/{CASE_ID}/glossary"
STENOSIS = {
    "ko": "척추 협착증",
    "ru": "Стеноз позвоночника",
    "kk": "Омыртқа стенозы",
    "en": "Spinal stenosis",
}


@pytest.fixture
async def site(tmp_path: Path, database_url: str) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", database_url=database_url) as made:
        yield made


async def seated(site: Website, role: str) -> tuple[Browser, str]:
    """Somebody who came by the seat's link, and where its glossary is."""
    browser = site.browser()
    seat, token = site.seat(role)
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    return browser, f"/api/seats/{seat}/glossary"


async def added(browser: Browser, base: str, texts: dict[str, str], note: str = "") -> dict[str, Any]:
    answer = await browser.post(base, {"texts": texts, "note": note})
    assert answer.status == 201, answer.text
    term: dict[str, Any] = answer.json
    return term


async def found(browser: Browser, base: str, query: str) -> list[str]:
    answer = await browser.post(f"{base}/search", {"query": query})
    assert answer.status == 200, answer.text
    return [next(iter(term["texts"].values())) for term in answer.json["terms"]]


async def test_a_term_is_found_by_its_beginning_or_a_piece_in_any_language_and_spelling(
    site: Website,
) -> None:
    interpreter, base = await seated(site, "interpreter")
    await added(interpreter, base, STENOSIS)
    await added(interpreter, base, {"ko": "협착", "ru": "Ёмкость", "uz": "Oʻpka"})
    await added(interpreter, base, {"ko": "100% 산소", "en": "under_score"})
    both = ["협착", "척추 협착증"]
    assert await found(interpreter, base, "협ㅊ") == both
    assert await found(interpreter, base, unicodedata.normalize("NFD", "협착")) == both
    for query in ("СТЕНОЗ П", "омырт", "омыртка", "stenosis", "  spinal  STEN", "척추"):
        assert await found(interpreter, base, query) == ["척추 협착증"], query
    for query in ("емкость", "Ёмк", "o'pka", "OPKA"):
        assert await found(interpreter, base, query) == ["협착"], query
    assert await found(interpreter, base, "%") == ["100% 산소"], "no wildcard"
    assert await found(interpreter, base, "r_s") == ["100% 산소"]
    assert await found(interpreter, base, "r/s") == []
    assert await found(interpreter, base, "") == ["100% 산소", "척추 협착증", "협착"]


async def test_a_change_names_the_version_it_saw_and_exactly_one_of_two_wins(site: Website) -> None:
    interpreter, base = await seated(site, "interpreter")
    physician = await site.signed_in("consulting_physician")
    term = await added(interpreter, base, STENOSIS, "one level")
    assert (term["version"], term["note"], term["confirmed"]) == (1, "one level", None)
    change = {"version": 1, "texts": STENOSIS | {"mn": "Нугасны нарийсал"}, "note": "one level"}
    answers = await asyncio.gather(
        interpreter.post(f"{base}/{term['id']}", change),
        physician.post(f"{CASE}/{term['id']}", change | {"note": "two levels"}),
    )
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert {answer.code for answer in answers} == {None, "term_changed"}
    same = next(answer.json for answer in answers if answer.status == 200)
    again = await interpreter.post(
        f"{base}/{term['id']}", {key: same[key] for key in ("version", "texts", "note")}
    )
    assert again.json["version"] == 2, "nothing changed, so nothing is written"
    assert (await physician.post(f"{CASE}/{term['id']}/delete", {"version": 1})).code == "term_changed"
    assert (await physician.post(f"{CASE}/{term['id']}/delete", {"version": 2})).status == 204
    assert (await physician.post(f"{CASE}/{term['id']}/delete", {"version": 2})).code == "not_found"
    async with site.database.read() as tx:
        assert await audit.first_broken(tx) is None
        rows = (await tx.exec_driver_sql("SELECT action, detail, case_id FROM audit ORDER BY id")).all()
    states = (await physician.get(f"{CASE}/{term['id']}/history")).json["states"]
    assert [(one["version"], one["what"]) for one in states] == [(3, "deleted"), (2, "edited"), (1, "added")]
    acts = [row for row in rows if row[0].startswith("term_")]
    assert [row[0] for row in acts] == ["term_added", "term_edited", "term_deleted"]
    assert {row[2] for row in acts} == {CASE_ID}
    assert not [row for row in rows if "stenosis" in str(row[1]) or "협착" in str(row[1])]


async def test_a_verified_physician_confirms_by_name_and_a_changed_text_is_confirmed_no_more(
    site: Website,
) -> None:
    interpreter, base = await seated(site, "interpreter")
    guest, guest_base = await seated(site, "referring_physician")
    term = await added(interpreter, base, STENOSIS)
    path, saw = f"/{term['id']}/confirm", {"version": 1}
    assert (await interpreter.post(base + path, saw)).code == "forbidden"
    refused = await guest.post(guest_base + path, saw)
    assert (refused.status, refused.code) == (403, "not_verified"), "who came by link alone has no name"
    physician = await site.signed_in("consulting_physician")
    confirmed = await physician.post(CASE + path, saw)
    assert confirmed.json["confirmed"]["name"] == "김데모 (synthetic)"
    assert (await physician.post(CASE + path, saw)).code == "term_changed"
    noted = {"version": 2, "texts": STENOSIS, "note": "as he says it"}
    after = (await interpreter.post(f"{base}/{term['id']}", noted)).json
    assert after["confirmed"] == confirmed.json["confirmed"]
    changed = {"version": 3, "texts": STENOSIS | {"ru": "Сужение"}, "note": ""}
    assert (await interpreter.post(f"{base}/{term['id']}", changed)).json["confirmed"] is None
    seat, _ = site.seat("consulting_physician")
    assert (await physician.post(f"/api/seats/{seat}/take")).status == 200
    by_seat = await physician.post(f"/api/seats/{seat}/glossary{path}", {"version": 4})
    assert by_seat.json["confirmed"]["name"] == "김데모 (synthetic)"


async def test_a_seats_glossary_closes_with_its_consultation_and_the_accounts_stays(site: Website) -> None:
    guest, base = await seated(site, "interpreter")
    term = await added(guest, base, STENOSIS)
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    seat, _ = site.seat("interpreter")
    await site.services.rooms.note(session.id, site.clock(), "joined", seat)
    await site.services.rooms.end_session(site.table.consultation_id, session.id, "ended", site.clock())
    refused: list[Answer] = [
        await guest.get(base),
        await guest.get(f"{base}/file"),
        await guest.get(f"{base}/history"),
        await guest.get(f"{base}/{term['id']}/history"),
        await guest.post(base, {"texts": STENOSIS}),
        await guest.post(f"{base}/search", {"query": ""}),
        await guest.post(f"{base}/file", {"file": ""}),
        await guest.post(f"{base}/{term['id']}", {"version": 1, "texts": STENOSIS, "note": ""}),
        await guest.post(f"{base}/{term['id']}/delete", {"version": 1}),
    ]
    assert {(answer.status, answer.code) for answer in refused} == {(409, "ended")}
    assert not [answer for answer in refused if "협착" in answer.text]
    interpreter = await site.signed_in("interpreter")
    assert [one["id"] for one in (await interpreter.get(CASE)).json["terms"]] == [term["id"]]
    reviewer = await site.signed_in("reviewer")
    assert (await reviewer.get(CASE)).json["total"] == 1
    assert (await reviewer.post(CASE, {"texts": STENOSIS})).code == "forbidden"
    for role in ("site_admin", "privacy_officer"):
        assert (await (await site.signed_in(role)).get(CASE)).code == "forbidden"


async def test_a_list_is_sent_once_and_kept_by_nobody_on_the_way(site: Website) -> None:
    interpreter, base = await seated(site, "interpreter")
    term = await added(interpreter, base, STENOSIS)
    first = await interpreter.get(base)
    assert first.headers["Cache-Control"] == "no-store"
    known = {"If-None-Match": first.headers["ETag"]}
    again = await interpreter.get(base, headers=known)
    assert (again.status, again.text) == (304, "")
    await interpreter.post(f"{base}/{term['id']}/delete", {"version": 1})
    assert (await interpreter.get(base, headers=known)).status == 200


async def test_what_is_no_term_is_refused_with_a_reason_and_without_an_echo(site: Website) -> None:
    interpreter, base = await seated(site, "interpreter")
    wrong: list[tuple[object, str]] = [
        ({"texts": {}}, "term_empty"),
        ({"texts": {"ko": "  "}}, "term_empty"),
        ({"texts": {"fr": "sténose"}}, "bad_request"),
        ({"texts": {"ko": 5}}, "bad_request"),
        ({"texts": {"ko": "a" * 201}}, "bad_request"),
        ({"texts": {"ko": "\u202emarked"}}, "bad_request"),
        ({"texts": {"ko": "\x00marked"}}, "text_refused"),
        ({"texts": {"ko": "\ud800marked"}}, "bad_request"),
        ({"texts": STENOSIS, "case": "other"}, "bad_request"),
        ([], "bad_request"),
    ]
    for body, code in wrong:
        answer = await interpreter.post(base, body)
        assert (answer.status, answer.code) == (400, code), body
        assert "marked" not in answer.text
    stranger = await interpreter.post(base, {"texts": STENOSIS}, headers={"Origin": "https://evil.example"})
    assert stranger.code == "cross_site"
    form = await interpreter.ask("POST", base, data=b"texts=1", headers={"Content-Type": "text/plain"})
    assert form.code == "json_only"
    assert (await interpreter.get(base)).json["total"] == 0


async def test_a_term_of_another_case_is_not_there(site: Website) -> None:
    physician = await site.signed_in("consulting_physician")
    term = await added(physician, CASE, STENOSIS)
    async with site.database.write() as tx:
        case = await cases.by_id(tx, CASE_ID)
        assert case is not None
        await cases.add_case(tx, replace(case, id=OTHER, site_id=SITES[1].id))
        await tx.exec_driver_sql(f"UPDATE glossary_terms SET case_id = '{OTHER}'")  # noqa: S608 - ours
    body = {"version": 1, "texts": STENOSIS, "note": "mine now"}
    assert (await physician.post(f"{CASE}/{term['id']}", body)).code == "not_found"
    assert (await physician.post(f"{CASE}/{term['id']}/confirm", {"version": 1})).code == "not_found"
    assert (await physician.post(f"{CASE}/{term['id']}/delete", {"version": 1})).code == "not_found"
    assert (await physician.get(CASE)).json["total"] == 0
    assert (await physician.get(f"/api/cases/{OTHER}/glossary")).code == "forbidden"


async def test_a_glossary_is_no_dictionary(site: Website) -> None:
    physician = await site.signed_in("consulting_physician")
    async with site.database.write() as tx:
        for number in range(MAX_TERMS):
            wording = Wording({"en": f"term {number}"})
            await glossary.add(tx, Term(f"t{number}", CASE_ID, 1, wording, None, None, 0))
    assert (await physician.post(CASE, {"texts": STENOSIS})).code == "glossary_full"
    listed = (await physician.get(CASE)).json
    assert (len(listed["terms"]), listed["found"], listed["total"]) == (300, MAX_TERMS, MAX_TERMS)
