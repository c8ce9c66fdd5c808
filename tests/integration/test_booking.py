"""Booking an hour for a case, on the wire: what is free, refused, moved, called off and missed."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.domain.appointment import Interpreter
from server.domain.consent import CONSENT_VERSION
from server.services.demo import ALMATY, CASE_ID
from server.storage import accounts, calendars, cases, consultations
from server.storage import audit as chain
from server.storage.schema import cases as case_table
from server.storage.schema import seats
from server.storage.schema_audit import audit
from tests.support.website import Answer, Browser, Website, website

AT_ONCE = 50
ZONES = ("Asia/Almaty", "Asia/Seoul")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        made.clock.turn_to(datetime(2026, 11, 27, 3, tzinfo=UTC))  # a Friday; the week after has no holiday
        yield made


async def slots(browser: Browser, **more: Any) -> dict[str, Any]:
    asked = {"from": "2026-11-30", "days": 5, "minutes": 60} | more
    answer = await browser.post(f"/api/cases/{CASE_ID}/slots", asked)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


async def book(browser: Browser, starts: int, request: str = "request-1", **more: Any) -> Answer:
    body = {"request": request, "starts_at_ms": starts, "minutes": 60} | more
    return await browser.post(f"/api/cases/{CASE_ID}/consultations", body)


async def change(browser: Browser, hour: dict[str, Any], what: str, **more: Any) -> Answer:
    return await browser.post(f"/api/consultations/{hour['consultation']}/{what}", more)


async def move(browser: Browser, hour: dict[str, Any], starts: int, **more: Any) -> Answer:
    body = {"request": f"move-{starts}", "starts_at_ms": starts, "minutes": 60, "sequence": hour["sequence"]}
    return await change(browser, hour, "move", **(body | {"side": "patient", "reason": "travel"} | more))


async def account(site: Website, role: str) -> str:
    async with site.database.read() as tx:
        found = await accounts.by_email(tx, f"{role.replace('_', '.')}@demo.invalid")
    assert found
    return found[0].id


async def state(site: Website) -> str:
    async with site.database.read() as tx:
        case = await cases.by_id(tx, CASE_ID)
    assert case
    return case.state


async def actions(site: Website) -> list[tuple[str, dict[str, Any]]]:
    async with site.database.read() as tx:
        assert await chain.first_broken(tx) is None
        return [(row.action, row.detail) for row in await tx.execute(audit.select().order_by(audit.c.id))]


async def test_proposals_are_on_both_clocks_within_everybodys_hours(site: Website) -> None:
    found = await slots(await site.signed_in("coordinator"))
    assert found["obstacles"] == []
    assert found["languages"] == ["ko", "ru"]
    assert [(p["time_zone"], p["holidays_known"]) for p in found["places"]] == [
        (zone, True) for zone in ZONES
    ]
    who = {one["kind"] for one in found["who"].values()}
    assert who == {"referring_physician", "consulting_physician", "interpreter", "room"}
    assert len(found["slots"]) > 5
    for slot in found["slots"]:
        for edge, shown in (("starts_at_ms", "begins"), ("ends_at_ms", "ends")):
            clocks = [datetime.fromisoformat(one["local"]) for one in slot[shown]]
            assert {round(clock.timestamp() * 1000) for clock in clocks} == {slot[edge]}, "one instant"
            assert [one["time_zone"] for one in slot[shown]] == list(ZONES)
            for one, clock in zip(slot[shown], clocks, strict=True):
                assert one["weekday"] == clock.weekday() < 5
                assert 9 <= clock.hour + clock.minute / 60 <= 18
                assert (
                    clock.utcoffset()
                    == datetime.fromtimestamp(slot[edge] / 1000, ZoneInfo(one["time_zone"])).utcoffset()
                )
        assert slot["interpreter"] == await account(site, "interpreter")
        assert len(slot["rooms"]) == 2


async def test_a_holiday_of_either_country_is_no_day_for_both(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    # 16 December is Kazakhstan's, 25 December is Korea's.
    for day in ("2026-12-16", "2026-12-25"):
        found = await slots(coordinator, **{"from": day, "days": 1})
        assert found["slots"] == [], day
        causes = {cause for one in found["obstacles"] for by in one["causes"].values() for cause in by}
        assert "holiday" in causes
        assert {one["how"] for one in found["obstacles"]} == {"never"}


async def test_a_booked_hour_has_its_seats_its_window_and_is_on_everybodys_worklist(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    slot = (await slots(coordinator))["slots"][0]
    answer = await book(coordinator, slot["starts_at_ms"])
    assert answer.status == 201, answer.text
    hour = answer.json
    assert hour["begins"] == slot["begins"]
    assert [(seat["role"], seat["language"]) for seat in hour["seats"]] == [
        ("referring_physician", "ru"),
        ("consulting_physician", "ko"),
        ("interpreter", "ru/ko"),
    ]
    assert len(hour["rooms"]) == 2
    site.clock.turn_to(datetime.fromtimestamp(slot["starts_at_ms"] / 1000 - 9 * 60, UTC))
    for role in ("referring_physician", "consulting_physician", "interpreter"):
        browser = await site.signed_in(role)
        rows = (await browser.get("/api/worklist")).json["consultations"]
        [row] = [row for row in rows if row["id"] == hour["consultation"]]
        assert row["joinable"], role
        assert (await browser.post(f"/api/seats/{row['my_seat']}/take")).status == 200
    shown = await (await site.signed_in("referring_physician")).get(f"/api/cases/{CASE_ID}/schedule")
    assert [one["consultation"] for one in shown.json["appointments"]] == [hour["consultation"]]
    booked = [detail for action, detail in await actions(site) if action == "consultation_booked"]
    assert booked == [{"starts_at_ms": slot["starts_at_ms"], "minutes": 60}]


async def test_an_hour_that_is_taken_past_or_outside_is_refused(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    assert (await book(coordinator, start)).status == 201
    quarter, hour = 900_000, 3_600_000
    for n, (at, code) in enumerate(
        [
            (start, "hour_taken"),
            (start + quarter, "hour_taken"),
            (start - 3 * quarter, "hour_outside"),  # before Almaty opens
            (start - 30 * 24 * hour, "hour_past"),
            (start + 1, "bad_request"),
            (start + 500 * 24 * hour, "bad_request"),
            (start + 12 * hour, "hour_outside"),
            (start + 5 * 24 * hour, "hour_outside"),  # Saturday
        ]
    ):
        answer = await book(coordinator, at, f"request-{n}x")
        assert answer.code == code, (n, answer.text)
    assert start not in [slot["starts_at_ms"] for slot in (await slots(coordinator))["slots"]]


async def test_of_fifty_bookings_of_one_hour_at_once_one_is_made(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    answers = await asyncio.gather(*(book(coordinator, start, f"request-{n:03}") for n in range(AT_ONCE)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * (AT_ONCE - 1)
    assert {answer.code for answer in answers if answer.status == 409} == {"hour_taken"}
    again = await asyncio.gather(
        *(book(coordinator, start + 3_600_000, "same-number") for _ in range(AT_ONCE))
    )
    assert {answer.status for answer in again} == {201}
    assert len({answer.json["consultation"] for answer in again}) == 1, "sent again it is done once"
    other = await book(coordinator, start + 86_400_000, "same-number")
    assert other.code == "request_reused"
    made = [action for action, _ in await actions(site) if action == "consultation_booked"]
    assert len(made) == 2


async def test_without_an_interpreter_for_the_pair_and_the_specialty_nothing_is_booked(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    interpreter = await account(site, "interpreter")
    path = f"/api/interpreters/{interpreter}"
    assert (await coordinator.post(path, {"pairs": [["ru", "ko"]], "fields": ["oncology"]})).status == 204
    found = await slots(coordinator)
    assert [(one["how"], one["kinds"]) for one in found["obstacles"]] == [("nobody", ["interpreter"])]
    assert (await book(coordinator, start)).code == "interpreter_unfit"
    assert (await book(coordinator, start, interpreter=interpreter)).code == "interpreter_unfit"
    assert (await slots(coordinator, any_field=True))["slots"]
    assert (
        await book(coordinator, start, languages=["kk", "ko"], any_field=True)
    ).code == "interpreter_unfit"
    assert (await book(coordinator, start, any_field=True)).status == 201
    assert ("consultation_booked", {"starts_at_ms": start, "minutes": 60, "any_field": 1}) in await actions(
        site
    )
    listed = (await coordinator.get("/api/interpreters")).json["interpreters"]
    assert [(one["pairs"], one["fields"]) for one in listed] == [([["ko", "ru"]], ["oncology"])]
    assert (await coordinator.post(path, {"pairs": [["ru", "ru"]], "fields": []})).code == "bad_request"


async def second_interpreter(site: Website) -> str:
    """Another one, from Almaty."""
    async with site.database.write() as tx:
        found = await accounts.by_email(tx, "interpreter@demo.invalid")
        assert found
        other = dataclasses.replace(
            found[0], id="interpreter-2", email="other@demo.invalid", name="Other (synthetic)",
            site_id=ALMATY, language="ko",
        )  # fmt: skip
        await accounts.add_account(tx, other, found[1])
        await calendars.put_interpreter(
            tx, Interpreter(other.id, frozenset({("ko", "ru")}), frozenset({"orthopaedics"}))
        )
    return other.id


async def test_moved_to_another_interpreter_the_seat_is_theirs_and_the_first_one_is_free(
    site: Website,
) -> None:
    coordinator = await site.signed_in("coordinator")
    first, other = await account(site, "interpreter"), await second_interpreter(site)
    found = (await slots(coordinator))["slots"]
    hour = (await book(coordinator, found[0]["starts_at_ms"], interpreter=first)).json
    seat = next(seat for seat in hour["seats"] if seat["role"] == "interpreter")
    assert (await move(coordinator, hour, found[1]["starts_at_ms"], sequence=7)).code == "hour_changed"
    answer = await move(coordinator, hour, found[1]["starts_at_ms"], interpreter=other)
    assert answer.status == 200, answer.text
    moved = answer.json
    assert (moved["sequence"], moved["side"], moved["reason"]) == (1, "patient", "travel")
    assert moved["consultation"] == hour["consultation"]
    now = next(seat for seat in moved["seats"] if seat["role"] == "interpreter")
    assert (now["id"], now["account"], now["language"]) == (seat["id"], other, "ko/ru")
    assert [one["id"] for one in moved["seats"]] == [one["id"] for one in hour["seats"]]
    # The old hour and the first interpreter are free again; a quarter after the new one nobody is.
    again = await book(coordinator, found[0]["starts_at_ms"], "request-2", interpreter=first)
    assert again.status == 201, again.text
    assert (await book(coordinator, found[1]["starts_at_ms"] + 900_000, "request-3")).code == "hour_taken"
    same = await move(coordinator, hour, found[1]["starts_at_ms"], interpreter=other)
    assert same.json == moved, "sent again it is done once"
    vera = await site.signed_in("interpreter")
    mine = await vera.get("/api/worklist")
    shown = (await vera.get(f"/api/cases/{CASE_ID}/schedule")).json["appointments"]
    assert [one["consultation"] for one in shown] == [again.json["consultation"]], "only their own"
    assert hour["consultation"] not in [row["id"] for row in mine.json["consultations"]]
    # A quarter later overlaps itself only, and that does not count.
    later = await move(coordinator, moved, found[1]["starts_at_ms"] + 900_000, interpreter=other)
    assert later.status == 200, later.text


async def test_who_has_answered_about_recording_keeps_the_interpreters_seat(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    other = await second_interpreter(site)
    found = (await slots(coordinator))["slots"]
    hour = (
        await book(coordinator, found[0]["starts_at_ms"], interpreter=await account(site, "interpreter"))
    ).json
    site.clock.turn_to(datetime.fromtimestamp(found[0]["starts_at_ms"] / 1000 - 300, UTC))
    seat = next(seat["id"] for seat in hour["seats"] if seat["role"] == "interpreter")
    browser = await site.signed_in("interpreter")
    assert (await browser.post(f"/api/seats/{seat}/take")).status == 200
    decided = {
        "decision": "granted",
        "persons": ["Vera"],
        "version": CONSENT_VERSION,
        "language": "ru",
    }
    said = await browser.post(f"/api/seats/{seat}/consent", decided)
    assert said.status == 200, said.text
    coordinator = await site.signed_in("coordinator")
    assert (await move(coordinator, hour, found[2]["starts_at_ms"], interpreter=other)).code == "under_way"
    await site.services.rooms.open_session(hour["consultation"], site.clock())
    assert (await move(coordinator, hour, found[2]["starts_at_ms"])).code == "under_way"


async def test_called_off_its_people_are_free_and_its_links_are_dead(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, start)).json
    why = {"request": "cancel-01", "side": "referring_site", "reason": "illness"}
    assert (await change(coordinator, hour, "cancel", **(why | {"reason": "because"}))).code == "bad_request"
    gone = await change(coordinator, hour, "cancel", **why)
    assert (gone.status, gone.json["state"], gone.json["sequence"]) == (200, "cancelled", 1)
    assert (await change(coordinator, hour, "cancel", **why)).json == gone.json, "sent again it is done once"
    assert (await change(coordinator, hour, "cancel", **(why | {"request": "cancel-02"}))).code == "ended"
    assert (await move(coordinator, gone.json, start + 3_600_000)).code == "ended"
    async with site.database.read() as tx:
        query = seats.select().where(seats.c.consultation_id == hour["consultation"])
        assert {row.token_state for row in await tx.execute(query)} == {"dead"}
    assert await state(site) == "matched", "to be scheduled again"
    assert (await book(coordinator, start, "request-2")).status == 201
    assert await state(site) == "scheduled"
    assert ("consultation_cancelled", {"side": "referring_site", "reason": "illness"}) in await actions(site)


async def test_called_off_on_the_command_line_its_people_are_free_as_well(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, start)).json
    await site.services.rooms.cancel(hour["consultation"], site.clock())
    assert await state(site) == "matched", "to be scheduled again"
    assert (await book(coordinator, start, "request-2")).status == 201
    shown = (await coordinator.get(f"/api/cases/{CASE_ID}/schedule")).json["appointments"]
    assert sorted(one["state"] for one in shown) == ["cancelled", "scheduled"]


async def test_an_hour_that_went_by_keeps_no_case_scheduled_and_one_that_runs_does(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    starts = [slot["starts_at_ms"] for slot in (await slots(coordinator))["slots"]]
    first = (await book(coordinator, min(starts))).json
    second = (await book(coordinator, max(starts), "request-2")).json
    await site.services.rooms.open_session(first["consultation"], site.clock())
    await site.services.rooms.cancel(second["consultation"], site.clock())
    assert await state(site) == "prebrief", "the first one runs"
    third = (await book(coordinator, max(starts), "request-3")).json
    async with site.database.write() as tx:
        await consultations.set_state(tx, first["consultation"], "scheduled")
    site.clock.turn_to(datetime.fromtimestamp(max(starts) / 1000, UTC))
    coordinator = await site.signed_in("coordinator")
    why = {"request": "cancel-01", "side": "patient", "reason": "illness"}
    assert (await change(coordinator, third, "cancel", **why)).status == 200
    assert await state(site) == "matched", "nobody came to the first one"


async def test_who_did_not_come_is_said_once_the_hour_has_begun(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, start)).json
    seat = hour["seats"][0]["id"]
    assert (await change(coordinator, hour, "no-show", request="missing-1", seats=[seat])).code == "not_begun"
    site.clock.turn_to(datetime.fromtimestamp(start / 1000 + 900, UTC))
    coordinator = await site.signed_in("coordinator")
    assert (
        await change(coordinator, hour, "no-show", request="missing-2", seats=["x"])
    ).code == "bad_request"
    missed = await change(coordinator, hour, "no-show", request="missing-3", seats=[seat])
    assert (missed.status, missed.json["state"]) == (200, "no_show")
    assert await state(site) == "no_show"
    assert [one["missing"] for one in missed.json["seats"]] == [True, False, False]
    assert (await change(coordinator, hour, "no-show", request="missing-4", seats=[seat])).code == "ended"
    assert ("consultation_missed", {"seats": 1}) in await actions(site)


async def test_a_case_without_physicians_has_no_hour(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    asked = {"from": "2026-11-30", "days": 5, "minutes": 60}
    assert (await coordinator.post("/api/cases/none/slots", asked)).code == "not_found"
    only = [await account(site, "referring_physician")]
    answer = await coordinator.post(f"/api/cases/{CASE_ID}/slots", asked | {"people": only})
    assert answer.code == "nobody_invited"
    for wrong in (
        {"from": "2026-13-01"},
        {"from": "9999-12-31"},
        {"from": "0001-01-01"},
        {"days": 32},
        {"minutes": 5},
        {"languages": ["ko", "xx"]},
        {"rooms": ["none"]},
        {"people": ["none"]},
    ):
        answer = await coordinator.post(f"/api/cases/{CASE_ID}/slots", asked | wrong)
        assert answer.code in ("bad_request", "hour_past"), (wrong, answer.text)


async def test_a_case_that_is_not_matched_yet_gets_no_hour(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    async with site.database.write() as tx:
        await tx.execute(case_table.update().values(state="submitted"))
    assert (await book(coordinator, start)).code == "wrong_state"
    assert (await coordinator.get(f"/api/cases/{CASE_ID}/schedule")).json["appointments"] == []


async def test_nothing_of_the_patient_is_in_what_a_schedule_says(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    found = await slots(coordinator)
    hour = await book(coordinator, found["slots"][0]["starts_at_ms"])
    async with site.database.read() as tx:
        case = await cases.by_id(tx, CASE_ID)
    assert case
    for text in (json.dumps(found, ensure_ascii=False), hour.text):
        for secret in (
            str(case.patient["name"]),
            str(case.patient["birth_date"]),
            case.question,
            case.specialty,
        ):
            assert secret not in text


async def test_a_new_centre_takes_a_few_forms(site: Website) -> None:
    coordinator = await site.signed_in("programme_admin")
    made = await coordinator.post(
        "/api/sites", {"name": "Tashkent Demo (synthetic)", "time_zone": "Asia/Tashkent", "country": "UZ"}
    )
    assert made.status == 201
    new = made.json["id"]
    week = [[[540, 780], [840, 1080]]] * 5 + [[], []]
    assert (await coordinator.post(f"/api/calendars/{new}/hours", {"days": week})).status == 204
    room = await coordinator.post(f"/api/calendars/{new}/rooms", {"name": "Room 1"})
    assert room.status == 201
    closed = {"room": room.json["id"], "name": "Room 1", "closed": True}
    assert (await coordinator.post(f"/api/calendars/{new}/rooms", closed)).status == 201
    away = {"from": "2026-12-01T00:00", "to": "2026-12-03T00:00"}
    absence = await coordinator.post(f"/api/calendars/{new}/absences", away)
    assert absence.status == 201
    shown = (await coordinator.get(f"/api/calendars/{new}")).json
    assert (shown["kind"], shown["hours"], shown["time_zone"]) == ("site", week, "Asia/Tashkent")
    assert shown["site"]["holidays_known"]
    assert shown["absences"] == [{"id": absence.json["id"], **away}]
    assert shown["rooms"] == [{"id": room.json["id"], "name": "Room 1", "closed": True}]
    assert (await coordinator.get(f"/api/calendars/{room.json['id']}")).json["hours"] is None
    gone = f"/api/calendars/{new}/absences/{absence.json['id']}/delete"
    assert [(await coordinator.post(gone)).status for _ in range(2)] == [204, 404]
    for path, wrong in (
        (f"/api/calendars/{new}/hours", {"days": week[:6]}),
        (f"/api/calendars/{new}/hours", {"days": [[[600, 540]]] + [[]] * 6}),
        (f"/api/calendars/{new}/hours", {"days": week, "time_zone": "Asia/Seoul"}),
        (f"/api/calendars/{new}/absences", {"from": "2026-12-03T00:00", "to": "2026-12-01T00:00"}),
        (f"/api/calendars/{new}/absences", {"from": "2026-02-30T00:00", "to": "2026-12-01T00:00"}),
    ):
        assert (await coordinator.post(path, wrong)).code == "bad_request", (path, wrong)


async def test_an_absence_of_ones_own_closes_hours_to_everybody(site: Website) -> None:
    interpreter = await site.signed_in("interpreter")
    own = await account(site, "interpreter")
    away = {"from": "2026-11-30T00:00", "to": "2026-12-05T00:00"}
    assert (await interpreter.post(f"/api/calendars/{own}/absences", away)).status == 201
    other = await account(site, "consulting_physician")
    assert (await interpreter.post(f"/api/calendars/{other}/absences", away)).code == "forbidden"
    admin = await site.signed_in("site_admin")
    assert (await admin.get(f"/api/calendars/{other}")).status == 200
    assert (await admin.get(f"/api/calendars/{ALMATY}")).code == "forbidden"
    coordinator = await site.signed_in("coordinator")
    found = await slots(coordinator)
    assert [(one["how"], one["who"]) for one in found["obstacles"]] == [("never", [own])]
    assert found["obstacles"][0]["causes"][own]["absence"] > 0
    # Working at night from New York, the same interpreter suits again.
    night = {"days": [[[0, 360], [1140, 1440]]] * 7, "time_zone": "America/New_York"}
    assert (await interpreter.post(f"/api/calendars/{own}/hours", night)).status == 204
    later = await slots(coordinator, **{"from": "2026-12-07"})
    assert later["slots"]
    assert (await interpreter.post(f"/api/calendars/{own}/hours", {"days": None})).status == 204
    assert (await interpreter.get(f"/api/calendars/{own}")).json["hours"] is None


async def test_the_room_opens_ten_minutes_before_and_stays_open_for_an_hour(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, start)).json
    seat = next(seat["id"] for seat in hour["seats"] if seat["role"] == "referring_physician")
    begin = datetime.fromtimestamp(start / 1000, UTC)
    for when, code in (
        (begin - timedelta(minutes=11), "not_open"),
        (begin - timedelta(minutes=9), None),
        (begin + timedelta(minutes=119), None),
        (begin + timedelta(minutes=121), "ended"),
    ):
        site.clock.turn_to(when)
        browser = await site.signed_in("referring_physician")
        assert (await browser.post(f"/api/seats/{seat}/take")).code == code, when
    assert [one["site"] for one in hour["begins"]] == [
        "Almaty Demo Clinic (synthetic)",
        "Seoul Demo Hospital (synthetic)",
    ]
