"""The patient's own seat: what its link opens, what it does not, and what others are told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.domain.consent import CONSENT_VERSION
from server.domain.permissions import BY_SEAT_CREDENTIAL, is_open
from server.services.demo import CASE_ID, PATIENT
from server.storage import sessions
from server.web.routes import ROUTES
from signaling.asides import ASIDES
from signaling.messages import INCOMING
from tests.integration.test_live_rooms import JOIN, House, Page, inhabited, until_participant
from tests.integration.test_web_access import ask, name, path_of, recording_of
from tests.support.website import Browser, Website, website

OPENED = {
    "GET /api/seats/{seat}",
    "POST /api/seats/{seat}/consent",
    "POST /api/seats/{seat}/destroy",
    "GET /api/seats/{seat}/past",
    "GET /api/seats/{seat}/receipts/{receipt}",
    "GET /api/seats/{seat}/chat",
    "GET /api/seats/{seat}/arrivals",
    "GET /api/seats/{seat}/conduct",
}
"""All that a patient's link opens, written down by hand."""

REASON = {"reason": "consent_withdrawn"}

ROOM_EVENTS: dict[str, tuple[object, str | None]] = {
    "media": ({"mic": True, "camera": True}, None),
    "quality": ({"level": "good"}, None),
    "view": ({"shown": []}, None),
    "hearing": ({"choice": "original"}, None),
    "restart": ({}, None),
    "ice_restart": ({}, None),
    "answer": ({"connection": "c", "offer_id": "o", "sdp": "v=0"}, "stale_connection"),
    "chat": ({"id": "m1", "text": "synthetic"}, None),
    "end": ({}, "forbidden"),
    "admit": ({"knock": "k", "accept": True}, "forbidden"),
    "pause": ({"reason": "other"}, "forbidden"),
    "resume": ({}, "forbidden"),
    "mode": ({"mode": "simultaneous"}, "forbidden"),
    "direction": ({"source": "ru", "target": "ko"}, "forbidden"),
    "floor": ({"participant": None}, "forbidden"),
    "listen": ({"participant": None}, "forbidden"),
    "signal": ({"kind": "slower"}, "forbidden"),
    "handover": ({"step": "request"}, "forbidden"),
    "mute_passive": ({}, "forbidden"),
    "partner": ({"on": True}, "forbidden"),
    "partner_text": ({"text": "synthetic"}, "forbidden"),
    "step": ({"participant": "p", "out": False}, "forbidden"),
    "term": ({"term": "t"}, "forbidden"),
    "conduct": ({"steps": ["hearing"], "outcome": "done"}, "forbidden"),
}
"""Every event of a page but `join` and `leave`, and how a patient inside is answered."""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", patient=True) as made:
        yield made


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with inhabited(tmp_path, patient=True) as made:
        yield made


async def seated(site: Website) -> Browser:
    browser, (seat, token) = site.browser(), site.seat("patient")
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    return browser


async def test_a_patients_link_opens_their_own_seat_and_nothing_else(site: Website) -> None:
    recording = await recording_of(site)
    browser = await seated(site)
    opened = set()
    for route in ROUTES:
        if is_open(route.action):
            continue
        status, code = await ask(browser, route, await path_of(site, route, recording, "patient"))
        if route.action not in BY_SEAT_CREDENTIAL:
            assert (status in (401, 403), code) == (True, route.stranger), name(route)
            continue
        if status in (401, 403):
            assert (status, code) == (403, "forbidden"), name(route)
        else:
            opened.add(name(route))
        other = await ask(browser, route, await path_of(site, route, recording, "referring_physician"))
        assert other == (401, "no_credential"), name(route)
    assert opened == OPENED


async def test_a_patient_decides_for_themselves_and_the_practice_may_take_it_back_for_them(
    site: Website,
) -> None:
    browser, (seat, _) = await seated(site), site.seat("patient")
    given = {"decision": "granted", "persons": [PATIENT.name], "language": "ru", "version": CONSENT_VERSION}
    assert (await browser.post(f"/api/seats/{seat}/consent", given)).status == 200
    view = await site.services.rooms.view(site.table.consultation_id)
    made = next(one for one in view.seats if one.id == seat)
    assert (made.consent, made.grant is not None, made.chair_rank, made.waits) == (
        "granted",
        True,
        None,
        True,
    )
    assert [one.role for one in view.seats if one.waits] == ["patient"]
    recording = await recording_of(site)
    path = f"/api/recordings/{recording}/seats/{seat}/withdraw"
    elsewhere = await (await site.signed_in("consulting_physician")).post(path, REASON)
    assert elsewhere.status == 403
    withdrawn = await (await site.signed_in("referring_physician")).post(path, REASON)
    assert withdrawn.status == 202, withdrawn.text


async def test_a_patient_is_told_their_practices_number_and_nobody_elses(site: Website) -> None:
    page = (await (await seated(site)).get(f"/api/seats/{site.seat('patient')[0]}")).json
    numbers = {seat["role"]: seat["telephone"] for seat in page["seats"]}
    assert numbers.pop("referring_physician")
    assert set(numbers.values()) == {None}


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("referring_physician", True),
        ("consulting_physician", True),
        ("interpreter", True),
        ("coordinator", True),
        ("reviewer", True),
        ("site_admin", False),
        ("privacy_officer", False),
    ],
)
async def test_who_may_not_know_whose_case_it_is_reads_no_name_at_the_patients_seat(
    site: Website, role: str, told: bool
) -> None:
    await recording_of(site)
    browser = await site.signed_in(role)
    row = (await browser.get("/api/worklist")).json["consultations"][0]
    assert names(row) == {PATIENT.name if told else ""}
    kept = await browser.get(f"/api/cases/{CASE_ID}/retention")
    if kept.status == 200:
        assert names(kept.json["recordings"][0]) == {PATIENT.name if told else ""}
    else:
        assert role == "site_admin"


def names(row: dict[str, Any]) -> set[str]:
    return {seat["name"] for seat in row["seats"] if seat["role"] == "patient"}


async def test_beside_the_recording_it_is_said_when_the_professionals_were_among_themselves(
    site: Website,
) -> None:
    recording = await recording_of(site)
    async with site.database.read() as tx:
        session = await sessions.by_id(tx, recording)
    assert session is not None
    said = ((1_000, "on"), (2_000, "on"), (61_000, "off"), (70_000, "off"), (90_000, "on"))
    for after_ms, word in said:
        at_ms = session.started_ms + after_ms
        await site.services.rooms.note(recording, at_ms, f"prebrief:{word}", None)
    told = (await (await site.signed_in("reviewer")).get(f"/api/recordings/{recording}")).json
    assert told["prebrief"] == [[1_000, 61_000], [90_000, None]]


def test_every_event_of_a_page_is_in_the_list_of_what_a_patient_may() -> None:
    assert set(ROOM_EVENTS) == (set(INCOMING) | set(ASIDES)) - {"join", "leave"}


async def answered(page: Page, event: str, data: object) -> str | None:
    """The code of the refusal, None = done; more than 20 in a second are asked again."""
    while (answer := await page.ask(event, data)).get("code") == "too_fast":  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert answer["ok"] is ("code" not in answer)
    code: str | None = answer.get("code")
    return code


async def test_a_patient_waits_comes_in_by_one_button_and_does_nothing_but_be_there(house: House) -> None:
    roles = ("consulting_physician", "referring_physician", "interpreter", "patient")
    browsers = {role: await house.by_link(role) for role in roles}
    pages = {role: await house.socket(browser, role) for role, browser in browsers.items()}
    chair, patient = pages["consulting_physician"], pages["patient"]
    seat, _ = house.seat("patient")
    first = await patient.ask("join", JOIN)
    assert first["ok"], first
    assert first["snapshot"]["session"] is None
    for role in roles[:3]:
        assert (await pages[role].ask("join", JOIN))["ok"]
    await until_participant(chair, seat, present=True, waits=True, out=True)
    assert (await chair.ask("chat", {"id": "m1", "text": "before they come in"}))["ok"]
    assert (await patient.ask("chat", {"id": "m1", "text": "hello?"}))["code"] == "stepped_out"
    for event, (data, code) in ROOM_EVENTS.items():
        waiting = "stepped_out" if event == "chat" else code
        assert await answered(patient, event, data) == waiting, event
    light = await patient.told("recording")
    assert (light["state"], light["paused"], light["degraded"]) == ("off", None, [])
    shown = [payload for name, payload in patient.got if name == "snapshot"][-1]
    assert {one["quality"] for one in shown["participants"]} == {None, "good"}, "their own alone"
    refused = await pages["interpreter"].ask("step", {"participant": seat, "out": False})
    assert refused["code"] == "forbidden"
    assert (await pages["referring_physician"].ask("step", {"participant": seat, "out": False}))["ok"]
    await until_participant(patient, seat, waits=False, out=False)
    for event, (data, code) in ROOM_EVENTS.items():
        assert await answered(patient, event, data) == code, event
    assert [payload["text"] for name, payload in patient.got if name == "chat"] == ["synthetic"]
    read = (await browsers["patient"].get(f"/api/seats/{seat}/chat")).json["messages"]
    assert [message["text"] for message in read] == ["synthetic"], "what was written before is not theirs"
