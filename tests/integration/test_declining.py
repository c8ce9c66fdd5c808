"""“I cannot come”, on the wire: by who has the seat, told to the coordinator, gone with another hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_booking import (
    account,
    actions,
    book,
    move,
    second_interpreter,
    slots,
)
from tests.support.website import Browser, Website, website


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        made.clock.turn_to(datetime(2026, 11, 27, 3, tzinfo=UTC))
        yield made


async def booked(coordinator: Browser, **more: Any) -> dict[str, Any]:
    slot = (await slots(coordinator))["slots"][0]
    hour: dict[str, Any] = (await book(coordinator, slot["starts_at_ms"], **more)).json
    return hour


def seat_of(hour: dict[str, Any], role: str) -> str:
    return next(str(seat["id"]) for seat in hour["seats"] if seat["role"] == role)


async def declined(coordinator: Browser) -> list[tuple[str, str]]:
    tasks = (await coordinator.get("/api/cases")).json["tasks"]
    return [(task["name"], task["reason"]) for task in tasks if task["why"] == "declined"]


async def row_of(browser: Browser, hour: dict[str, Any]) -> dict[str, Any]:
    rows = (await browser.get("/api/worklist?days=14")).json["consultations"]
    return next(row for row in rows if row["id"] == hour["consultation"])


async def test_who_cannot_come_says_so_and_takes_it_back_and_coordinators_know(site: Website) -> None:
    coordinator, interpreter = await site.signed_in("coordinator"), await site.signed_in("interpreter")
    hour = await booked(coordinator)
    path = f"/api/seats/{seat_of(hour, 'interpreter')}/decline"
    row = await row_of(interpreter, hour)
    assert (row["declinable"], row["declined"]) == (True, None)
    for body in ({}, {"reason": "because"}, {"reason": ""}):
        assert (await interpreter.post(path, body)).code == "bad_request", body
    assert (await interpreter.post(path, {"reason": "illness"})).status == 204
    assert (await row_of(interpreter, hour))["declined"] == "illness"
    assert await declined(coordinator) == [("Vera Demo-Kim (synthetic)", "illness")]
    shown = (await coordinator.get(f"/api/cases/{hour['case_id']}/schedule")).json["appointments"][0]
    assert {seat["role"]: seat["declined"] for seat in shown["seats"]} == {
        "referring_physician": False,
        "consulting_physician": False,
        "interpreter": True,
    }
    assert "declined" not in (await row_of(coordinator, hour))["seats"][0], "nobody else is told why"
    assert (await interpreter.post(path, {"reason": None})).status == 204
    assert await declined(coordinator) == []
    noted = [(action, detail) for action, detail in await actions(site) if action.startswith("seat_declined")]
    assert noted == [("seat_declined", {"reason": "illness"}), ("seat_declined_back", {})]


async def test_a_coordinator_has_a_mail_of_it_that_says_neither_who_nor_why(site: Website) -> None:
    coordinator, interpreter = await site.signed_in("coordinator"), await site.signed_in("interpreter")
    hour = await booked(coordinator)
    path = f"/api/seats/{seat_of(hour, 'interpreter')}/decline"
    for reason in ("illness", None, "travel"):
        assert (await interpreter.post(path, {"reason": reason})).status == 204
    waiting = await site.services.mailing.due(site.clock())
    (mail,) = [one for one in waiting if one.to.startswith("coordinator")]
    assert mail.subject.startswith("원격 협진 불참 알림")
    assert f"{site.settings.public_url}/worklist\n" in mail.body
    assert "(Asia/Almaty, UTC+05:00)" in mail.body
    assert "(Asia/Seoul, UTC+09:00)" in mail.body
    assert mail.calendar is None
    assert (await interpreter.post(path, {"reason": None})).status == 204
    waiting = await site.services.mailing.due(site.clock())
    assert not [one for one in waiting if one.to.startswith("coordinator")], "they come after all"
    for unsaid in ("Vera", "illness", "travel", "질병", "KZ-"):
        assert unsaid not in f"{mail.subject}\n{mail.body}", unsaid


async def test_nobody_says_it_for_another_nor_once_the_hour_has_begun(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    hour = await booked(coordinator)
    path = f"/api/seats/{seat_of(hour, 'interpreter')}/decline"
    for role in ("coordinator", "consulting_physician", "site_operator", "reviewer", "programme_admin"):
        assert (await (await site.signed_in(role)).post(path, {"reason": "illness"})).code == "forbidden", (
            role
        )
    assert (await site.browser().post(path, {"reason": "illness"})).status == 401
    site.clock.turn_to(datetime.fromtimestamp(hour["starts_at_ms"] / 1000, UTC))
    interpreter = await site.signed_in("interpreter")
    assert (await interpreter.post(path, {"reason": "illness"})).code == "under_way"
    assert not (await row_of(interpreter, hour))["declinable"]
    site.clock.turn_to(datetime.fromtimestamp(hour["ends_at_ms"] / 1000 + 7200, UTC))
    assert (await (await site.signed_in("interpreter")).post(path, {"reason": "illness"})).code == "ended"


async def test_moving_the_hour_proposes_another_interpreter_and_asks_anew(site: Website) -> None:
    coordinator, interpreter = await site.signed_in("coordinator"), await site.signed_in("interpreter")
    first, other = await account(site, "interpreter"), await second_interpreter(site)
    hour = await booked(coordinator, interpreter=first)
    assert (
        await interpreter.post(f"/api/seats/{seat_of(hour, 'interpreter')}/decline", {"reason": "travel"})
    ).status == 204
    found = (await slots(coordinator, moving=hour["consultation"]))["slots"]
    assert {slot["interpreter"] for slot in found} == {other}
    same = next(slot for slot in found if slot["starts_at_ms"] == hour["starts_at_ms"])
    moved = await move(coordinator, hour, same["starts_at_ms"], interpreter=other, reason="declined")
    assert moved.status == 200, moved.text
    assert next(seat["account"] for seat in moved.json["seats"] if seat["role"] == "interpreter") == other
    assert await declined(coordinator) == []
    assert not any(seat["declined"] for seat in moved.json["seats"])
