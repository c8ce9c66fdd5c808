"""A term shown to everybody in the room, through the whole server; its mark; what review says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.playback.playback import Playback
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.services.demo import CASE_ID
from server.services.glossary import ShownTerm
from server.storage import destructions, glossary
from tests.integration.test_live_rooms import JOIN, House, Page, inhabited
from tests.support.website import Website

STENOSIS = {"ko": "척추 협착증", "ru": "Стеноз позвоночника"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with inhabited(tmp_path, session_grace_s=2) as made:
        yield made


async def seated(house: House, role: str) -> tuple[Page, str, Any]:
    browser = await house.by_link(role)
    page = await house.socket(browser, role)
    assert (await page.ask("join", JOIN))["ok"]
    return page, house.seat(role)[0], browser


async def test_a_tap_shows_the_term_to_everybody_in_time_and_only_one_of_this_case(house: House) -> None:
    interpreter, seat, browser = await seated(house, "interpreter")
    physicians = [(await seated(house, role))[0] for role in ("referring_physician", "consulting_physician")]
    term = (await browser.post(f"/api/seats/{seat}/glossary", {"texts": STENOSIS, "note": "for us"})).json
    assert await interpreter.ask("term", {"term": term["id"]}) == {"ok": True, "marked": False}
    for page in (interpreter, *physicians):
        shown = await page.told("term", term=term["id"])
        assert (shown["texts"], shown["by"], shown["confirmed"]) == (STENOSIS, seat, False)
        assert set(shown) == {"term", "texts", "by", "confirmed", "at_ms"}, "the note is not for everybody"
    for unknown in ("unknown", "t" * 22):
        assert await interpreter.ask("term", {"term": unknown}) == {"ok": False, "code": "not_found"}
    async with house.server.services.context.database.write() as tx:
        other = "another-case-000001"
        await tx.exec_driver_sql(
            "INSERT INTO cases SELECT ?, label, site_id, specialty, question, patient, state, created_ms"
            " FROM cases WHERE id = ?",
            (other, CASE_ID),
        )
        await tx.exec_driver_sql("UPDATE glossary_terms SET case_id = ?", (other,))
    assert await interpreter.ask("term", {"term": term["id"]}) == {"ok": False, "code": "not_found"}


def playback(site: Website) -> Playback:
    settings = site.settings
    keys, objects = KeyStore.open(settings.data_dir), Objects(settings.objects_dir)
    return Playback(site.database, site.services.recordings, keys, objects)


async def test_review_says_what_was_shown_when_as_it_read_then_and_by_whom(site: Website) -> None:
    services, clock = site.services, site.clock
    session = await services.rooms.open_session(site.table.consultation_id, clock())
    physician = await site.signed_in("consulting_physician")
    base = f"/api/cases/{CASE_ID}/glossary"
    term = (await physician.post(base, {"texts": STENOSIS})).json
    seat, _ = site.seat("interpreter")
    shown = await services.glossary.shown(seat, term["id"])
    await services.glossary.mark(session.id, session.started_ms + 1500, shown, seat)
    await physician.post(f"{base}/{term['id']}", {"version": 1, "texts": {"ko": "다른 말"}, "note": ""})
    later = await services.glossary.shown(seat, term["id"])
    await services.glossary.mark(session.id, session.started_ms + 9000, later, None)
    await physician.post(f"{base}/{term['id']}/delete", {"version": 2})
    unknown = ShownTerm("t", 1, {}, False)
    await services.glossary.mark("no-such-session", 0, unknown, None)
    by = {"participant": seat, "name": "Vera Demo-Kim (synthetic)", "role": "interpreter"}
    told = (await playback(site).describe(session.id, {}))["terms"]
    assert told == [
        {"ms": 1500, "texts": STENOSIS, "by": by},
        {"ms": 9000, "texts": {"ko": "다른 말"}, "by": None},
    ]


async def test_a_seat_that_withdrew_is_not_named_beside_what_it_showed(site: Website) -> None:
    services = site.services
    session = await services.rooms.open_session(site.table.consultation_id, site.clock())
    seat, token = site.seat("interpreter")
    browser = site.browser()
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    term = (await browser.post(f"/api/seats/{seat}/glossary", {"texts": STENOSIS})).json
    shown = await services.glossary.shown(seat, term["id"])
    await services.glossary.mark(session.id, session.started_ms, shown, seat)
    assert (await browser.post(f"/api/seats/{seat}/destroy", {})).json == {"recordings": 1}
    assert (await playback(site).describe(session.id, {}))["terms"] == [
        {"ms": 0, "texts": STENOSIS, "by": None}
    ]
    async with site.database.read() as tx:
        assert await destructions.blocked(tx, session.id) == {seat}
        assert [mark.seat_id for mark in await glossary.marks_of(tx, session.id)] == [seat]
