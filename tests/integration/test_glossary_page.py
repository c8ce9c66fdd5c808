"""The glossary outside the room: who prepares it, what its history says, how long an interpreter has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from server.domain.consultation import RECENT_SEAT_MS
from server.services.demo import CASE_ID, SITES
from server.storage import cases
from tests.support.website import Browser, Website

CASE = f"/api/cases/{CASE_ID}/glossary"
PAGE = f"/cases/{CASE_ID}/glossary"
ANOTHER = "another-case-000001"
STENOSIS = {"ko": "척추 협착증", "ru": "Стеноз позвоночника"}
DAY_H = 24
KEPT_DAYS = RECENT_SEAT_MS // (DAY_H * 3_600_000)


async def readable(site: Website, role: str = "interpreter") -> bool:
    """By list, page, row and change alike, for a browser that has just signed in."""
    browser = await site.signed_in(role)
    answers = [(await browser.get(CASE)).status, (await browser.get(PAGE)).status]
    answers.append((await browser.get(f"{CASE}/history")).status)
    answers.append((await browser.post(f"{CASE}/search", {"query": ""})).status)
    rows = (await browser.get("/api/worklist")).json["consultations"]
    said = {row["glossary_readable"] for row in rows}
    assert set(answers) in ({200}, {403}), answers
    open_now = answers[0] == 200
    assert said <= {open_now}
    listed = (await browser.get("/api/glossaries")).json["cases"]
    assert [one["id"] for one in listed] == ([CASE_ID] if open_now else [])
    wrote = await browser.post(CASE, {"texts": STENOSIS})
    assert wrote.status == (201 if open_now else 403), wrote.text
    return open_now


async def ended(site: Website, *, sat: bool) -> None:
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    if sat:
        seat, _ = site.seat("interpreter")
        await site.services.rooms.note(session.id, site.clock(), "joined", seat)
    await site.services.rooms.end_session(site.table.consultation_id, session.id, "ended", site.clock())


async def test_an_interpreter_has_the_glossary_from_the_booking_until_a_month_after_they_sat(
    site: Website,
) -> None:
    assert await readable(site), "booked"
    await ended(site, sat=True)
    assert await readable(site)
    site.clock.advance(hours=(KEPT_DAYS - 1) * DAY_H)
    assert await readable(site)
    site.clock.advance(hours=DAY_H + 1)
    assert not await readable(site)
    assert (await (await site.signed_in("consulting_physician")).get(CASE)).json["total"] == 3


async def test_an_interpreter_who_never_sat_has_the_glossary_no_more_once_it_is_over(site: Website) -> None:
    await ended(site, sat=False)
    assert not await readable(site)


async def test_a_booking_that_nobody_came_to_opens_nothing_afterwards(site: Website) -> None:
    site.clock.advance(hours=2 * DAY_H)
    assert not await readable(site)


async def test_whoever_is_booked_again_has_the_glossary_again(site: Website) -> None:
    await ended(site, sat=True)
    site.clock.advance(hours=KEPT_DAYS * DAY_H + 1)
    assert not await readable(site)
    site.table = await site.world.prepare()  # the demo seats the same people anew
    assert await readable(site)


async def add_another_case(site: Website) -> None:
    """At the other site; nobody is named on it."""
    async with site.database.write() as tx:
        case = await cases.by_id(tx, CASE_ID)
        assert case is not None
        await cases.add_case(tx, replace(case, id=ANOTHER, label="DEMO-0002", site_id=SITES[1].id))


async def test_the_page_is_refused_to_whoever_may_not_read_the_glossary(site: Website) -> None:
    readers = ("referring_physician", "consulting_physician", "interpreter", "coordinator", "reviewer")
    for role in (*readers, "site_admin", "privacy_officer"):
        answer = await (await site.signed_in(role)).get(PAGE)
        assert answer.status == (200 if role in readers else 403), role
        assert CASE_ID not in answer.text, "pages hold no data"
    assert (await site.browser().get(PAGE)).status == 403
    await add_another_case(site)
    for role in ("referring_physician", "interpreter", "reviewer"):
        assert (await (await site.signed_in(role)).get(f"/cases/{ANOTHER}/glossary")).status == 403
    assert (await (await site.signed_in("coordinator")).get("/cases/no-such-case/glossary")).status == 404


async def test_a_page_is_told_what_its_reader_may_do_with_this_glossary(site: Website) -> None:
    expected = {
        "referring_physician": ["write", "confirm"],
        "consulting_physician": ["write", "confirm"],
        "interpreter": ["write"],
        "coordinator": ["write"],
        "reviewer": [],
    }
    for role, may in expected.items():
        found = (await (await site.signed_in(role)).get(CASE)).json
        assert (found["may"], found["case_label"]) == (may, "DEMO-0001"), role
    seat, token = site.seat("interpreter")
    guest = site.browser()
    await guest.post(f"/api/seats/{seat}/redeem", {"token": token})
    assert "may" not in (await guest.get(f"/api/seats/{seat}/glossary")).json


async def test_everybody_is_listed_the_glossaries_they_may_read_and_no_others(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    await coordinator.post(CASE, {"texts": STENOSIS})
    await add_another_case(site)
    own = {"id": CASE_ID, "label": "DEMO-0001", "terms": 1}
    for role in ("referring_physician", "consulting_physician", "interpreter", "reviewer"):
        assert (await (await site.signed_in(role)).get("/api/glossaries")).json["cases"] == [own], role
    every = (await coordinator.get("/api/glossaries")).json["cases"]
    assert own in every
    assert {"id": ANOTHER, "label": "DEMO-0002", "terms": 0} in every
    assert (await (await site.signed_in("site_admin")).get("/api/glossaries")).code == "forbidden"


async def changed(browser: Browser, term: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    body = {"version": term["version"], "texts": texts, "note": "from the letter"}
    answer = await browser.post(f"{CASE}/{term['id']}", body)
    assert answer.status == 200, answer.text
    made: dict[str, Any] = answer.json
    return made


async def test_the_history_says_who_changed_what_and_what_it_said_before(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    term = (await coordinator.post(CASE, {"texts": STENOSIS})).json
    seat, token = site.seat("interpreter")
    guest = site.browser()
    await guest.post(f"/api/seats/{seat}/redeem", {"token": token})
    base = f"/api/seats/{seat}/glossary"
    other = (await guest.post(base, {"texts": {"en": "Stent"}})).json
    site.clock.advance(seconds=1)
    term = await changed(coordinator, term, STENOSIS | {"ru": "Сужение канала"})
    assert (await coordinator.post(f"{CASE}/{term['id']}/confirm", {"version": 2})).code == "forbidden"
    site.clock.advance(seconds=1)
    await (await site.signed_in("consulting_physician")).post(f"{CASE}/{term['id']}/confirm", {"version": 2})
    site.clock.advance(seconds=1)
    assert (await guest.post(f"{base}/{other['id']}/delete", {"version": 1})).status == 204

    states = (await coordinator.get(f"{CASE}/{term['id']}/history")).json["states"]
    assert [(one["version"], one["what"], one["by"]) for one in states] == [
        (3, "confirmed", "김데모 (synthetic)"),
        (2, "edited", "박데모 (synthetic)"),
        (1, "added", "박데모 (synthetic)"),
    ]
    assert states[1]["texts"]["ru"] == "Сужение канала"
    assert states[1]["before"] == {"texts": STENOSIS, "note": ""}
    assert states[2]["before"] is None
    every = (await (await site.signed_in("reviewer")).get(f"{CASE}/history")).json["states"]
    assert [(one["term"], one["what"]) for one in every[:2]] == [
        (other["id"], "deleted"),
        (term["id"], "confirmed"),
    ]
    assert every[0]["by"] == "Vera Demo-Kim (synthetic)", "who came by the link is who the seat says"
    assert len(every) == 5
    assert (await guest.get(f"{base}/{other['id']}/history")).json["states"][1]["what"] == "added"


async def test_the_history_of_a_term_of_another_case_is_not_there(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    term = (await coordinator.post(CASE, {"texts": STENOSIS})).json
    await add_another_case(site)
    async with site.database.write() as tx:
        await tx.exec_driver_sql("UPDATE glossary_versions SET case_id = ?", (ANOTHER,))
    assert (await coordinator.get(f"{CASE}/{term['id']}/history")).code == "not_found"
    assert (await coordinator.get(f"{CASE}/history")).json == {"states": []}
