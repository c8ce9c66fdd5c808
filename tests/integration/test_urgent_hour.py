"""An urgent hour on the wire: found and booked at night and on a holiday, with a reason, never twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.services.demo import CASE_ID
from tests.integration.test_booking import (
    account,
    actions,
    book,
    change,
    second_interpreter,
    slots,
)
from tests.support.website import Website, website

NIGHT = datetime(2026, 12, 25, 17, 7, tzinfo=UTC)  # Christmas, a holiday in Seoul, where it is two at night
WHY = {"side": "patient", "reason": "emergency"}
QUARTER_MS = 900_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        made.clock.turn_to(NIGHT)
        yield made


def at(hour: int, minute: int) -> int:
    return round(datetime(2026, 12, 25, hour, minute, tzinfo=UTC).timestamp() * 1000)


async def test_the_next_quarter_is_proposed_and_who_does_not_work_then_is_named(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    found = await slots(coordinator, urgent=True)
    first = found["slots"][0]
    assert first["starts_at_ms"] == at(17, 15)
    assert sorted(first["outside"]) == sorted(found["who"]), "everybody: it is night in both places"
    assert first["edges"] == []
    usual = await slots(coordinator, **{"from": "2026-12-28"})
    assert all(slot["outside"] == [] for slot in usual["slots"])


async def test_an_interpreter_who_works_now_is_proposed_before_one_who_is_called_from_bed(
    site: Website,
) -> None:
    coordinator = await site.signed_in("coordinator")
    in_almaty = await second_interpreter(site)
    later = (await slots(coordinator, **{"from": "2026-12-28"}))["slots"][0]["starts_at_ms"]
    assert (await book(coordinator, later, interpreter=in_almaty)).status == 201, "so Seoul's is less booked"
    site.clock.turn_to(datetime(2026, 12, 25, 4, 7, tzinfo=UTC))  # nine in the morning in Almaty
    first = (await slots(await site.signed_in("coordinator"), urgent=True))["slots"][0]
    assert first["interpreter"] == in_almaty
    assert in_almaty not in first["outside"]


async def test_it_is_booked_with_a_reason_its_room_is_open_at_once_and_its_people_are_told(
    site: Website,
) -> None:
    coordinator = await site.signed_in("coordinator")
    starts = at(17, 15)
    assert (await book(coordinator, starts, "usual-01")).code == "hour_outside"
    assert (await book(coordinator, starts, "urgent-01", urgent=True)).code == "reason_missing"
    wrong = await book(coordinator, starts, "urgent-02", urgent=True, side="patient", reason="so")
    assert wrong.code == "bad_request"
    made = await book(coordinator, starts, "urgent-03", urgent=True, **WHY)
    assert made.status == 201, made.text
    assert (made.json["side"], made.json["reason"]) == ("patient", "emergency")
    again = await book(coordinator, starts, "urgent-03", urgent=True, **WHY)
    assert again.json == made.json, "sent again it is done once"
    for role in ("referring_physician", "consulting_physician", "interpreter"):
        browser = await site.signed_in(role)
        rows = (await browser.get("/api/worklist")).json["consultations"]
        [row] = [row for row in rows if row["id"] == made.json["consultation"]]
        assert row["joinable"], role
        assert (await browser.post(f"/api/seats/{row['my_seat']}/take")).status == 200
    assert made.json["mails"], "they are told"
    noted = [detail for action, detail in await actions(site) if action == "consultation_booked"]
    assert noted == [{"starts_at_ms": starts, "minutes": 60, "urgent": 1, **WHY}]


async def test_absences_and_other_bookings_count_and_tomorrow_is_not_urgent(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    starts = at(17, 15)
    assert (await book(coordinator, starts, "urgent-01", urgent=True, **WHY)).status == 201
    for n, (when, code) in enumerate(
        (
            (starts + QUARTER_MS, "hour_taken"),
            (starts - QUARTER_MS, "hour_past"),
            (starts + 25 * 3_600_000, "bad_request"),
        )
    ):
        answer = await book(coordinator, when, f"later-{n:03}", urgent=True, **WHY)
        assert answer.code == code, (n, answer.text)
    interpreter = await account(site, "interpreter")
    away = {"from": "2026-12-26T00:00", "to": "2026-12-27T12:00"}
    said = await coordinator.post(f"/api/calendars/{interpreter}/absences", away)
    assert said.status < 300, said.text
    found = await slots(coordinator, urgent=True)
    assert found["slots"] == []
    assert [(one["how"], one["who"]) for one in found["obstacles"]] == [("never", [interpreter])]
    assert set(found["obstacles"][0]["causes"][interpreter]) == {"absence"}


async def test_a_booked_hour_is_brought_forward_to_now(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    usual = (await slots(coordinator, **{"from": "2026-12-28"}))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, usual)).json
    body = {"starts_at_ms": at(17, 15), "minutes": 60, "sequence": hour["sequence"], "urgent": True, **WHY}
    moved = await change(coordinator, hour, "move", request="forward-1", **body)
    assert moved.status == 200, moved.text
    interpreter = await site.signed_in("interpreter")
    rows = (await interpreter.get("/api/worklist")).json["consultations"]
    assert [row["joinable"] for row in rows if row["id"] == hour["consultation"]] == [True]
    noted = [detail for action, detail in await actions(site) if action == "consultation_moved"]
    assert [one["urgent"] for one in noted] == [1]


async def test_nobody_else_finds_or_books_one(site: Website) -> None:
    for role in ("referring_physician", "consulting_physician", "interpreter", "programme_admin"):
        browser = await site.signed_in(role)
        asked = {"from": "2026-12-25", "days": 1, "minutes": 60, "urgent": True}
        assert (await browser.post(f"/api/cases/{CASE_ID}/slots", asked)).status == 403, role
        assert (await book(browser, at(17, 15), urgent=True, **WHY)).status == 403, role
