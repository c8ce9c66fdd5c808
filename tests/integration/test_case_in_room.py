"""A case goes with its room: entered, held, broken off, over; and who may say that it was enough."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.domain.session import Session
from server.services.demo import CASE_ID
from tests.integration.test_booking import actions, book, change, move, slots, state
from tests.integration.test_consents_web import BASE, asked
from tests.integration.test_tasks import HOUR_MS, an_hour, at, on_friday, who
from tests.support.website import Website, website

EVERYBODY = ("referring_physician", "consulting_physician", "interpreter", "patient")
READY = ("case_ready", "case_not_ready")
END = f"/api/cases/{CASE_ID}/end"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with on_friday(tmp_path / "data") as made:
        yield made


async def entered(site: Website, hour: dict[str, Any]) -> Session:
    at(site, hour["starts_at_ms"])
    return await site.services.rooms.open_session(hour["consultation"], site.clock())


async def noted(site: Website, hour: dict[str, Any], session: Session, what: str, *roles: str) -> None:
    for seat in hour["seats"]:
        if seat["role"] in roles:
            await site.services.rooms.note(session.id, site.clock(), what, seat["id"])


async def joins(site: Website, hour: dict[str, Any], session: Session, *roles: str) -> None:
    await noted(site, hour, session, "joined", *roles)


async def talking(site: Website) -> tuple[dict[str, Any], Session]:
    """Both physicians are in, at an hour booked for the Monday after."""
    hour = await an_hour(site)
    session = await entered(site, hour)
    await joins(site, hour, session, "referring_physician", "consulting_physician")
    return hour, session


async def missed(site: Website, hour: dict[str, Any]) -> None:
    """The case waits as before, and somebody is told."""
    assert await state(site) == "scheduled"
    at(site, hour["ends_at_ms"] + 2 * HOUR_MS)
    assert await who(site, "hour_passed") == {"coordinator": 1}


async def left(site: Website, hour: dict[str, Any], session: Session, reason: str) -> None:
    await site.services.rooms.end_session(hour["consultation"], session.id, reason, site.clock())


async def test_it_is_live_when_both_sides_are_there_and_ended_with_its_room(site: Website) -> None:
    hour = await an_hour(site)
    session = await entered(site, hour)
    assert await state(site) == "prebrief"
    await joins(site, hour, session, "consulting_physician", "interpreter")
    assert await state(site) == "prebrief", "nobody who asks is there"
    await joins(site, hour, session, "referring_physician")
    assert await state(site) == "live"
    await joins(site, hour, session, "referring_physician")
    await left(site, hour, session, "ended")
    assert await state(site) == "ended"
    await left(site, hour, session, "ended")
    said = [name for name, _ in await actions(site) if name.startswith("case_")]
    assert said[-3:] == ["case_prebrief", "case_live", "case_ended"], "each once"


async def test_professionals_among_themselves_are_not_yet_the_consultation(tmp_path: Path) -> None:
    async with website(tmp_path / "data", patient=True) as site:
        seats = {role: site.seat(role)[0] for role in EVERYBODY}
        for end, stands in (("emptied", "scheduled"), ("ended", "ended")):
            session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())

            async def noted(what: str, *roles: str, session: str = session.id) -> None:
                for role in roles:
                    await site.services.rooms.note(session, site.clock(), what, seats[role])

            await noted("joined", "patient", "consulting_physician")
            await noted("step_out", "patient")
            assert await state(site) == "prebrief", "the patient waits outside"
            await noted("joined", "referring_physician")
            assert await state(site) == "prebrief", "among themselves"
            if end == "emptied":
                await noted("left", "referring_physician", "consulting_physician", "patient")
            await site.services.rooms.end_session(site.table.consultation_id, session.id, end, site.clock())
            assert await state(site) == stands, end


async def test_the_consultation_begins_with_the_patient_let_in(tmp_path: Path) -> None:
    async with website(tmp_path / "data", patient=True) as site:
        session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
        for role in EVERYBODY:
            await site.services.rooms.note(session.id, site.clock(), "joined", site.seat(role)[0])
        assert await state(site) == "prebrief"
        patient, _ = site.seat("patient")
        await site.services.rooms.note(session.id, site.clock(), "step_in", patient)
        assert await state(site) == "live"


async def test_who_came_one_after_the_other_met_nobody(site: Website) -> None:
    hour = await an_hour(site)
    session = await entered(site, hour)
    await joins(site, hour, session, "consulting_physician", "interpreter")
    await noted(site, hour, session, "left", "consulting_physician")
    await joins(site, hour, session, "referring_physician")
    assert await state(site) == "prebrief"
    await noted(site, hour, session, "left", "referring_physician", "interpreter")
    await left(site, hour, session, "emptied")
    await missed(site, hour)


async def test_who_waited_alone_met_nobody_and_the_hour_was_missed(site: Website) -> None:
    hour = await an_hour(site)
    session = await entered(site, hour)
    await joins(site, hour, session, "consulting_physician", "interpreter")
    await left(site, hour, session, "emptied")
    await missed(site, hour)


async def test_a_room_that_all_left_is_broken_off_until_they_are_back(site: Website) -> None:
    hour, session = await talking(site)
    await left(site, hour, session, "emptied")
    assert await state(site) == "interrupted"
    coordinator = await site.signed_in("coordinator")
    (turn,) = (await coordinator.get("/api/cases")).json["cases"]
    assert (turn["id"], turn["why"]) == (CASE_ID, "interrupted")
    alone = await site.services.rooms.open_session(hour["consultation"], site.clock())
    await joins(site, hour, alone, "referring_physician")
    assert await state(site) == "interrupted", "one waits for the other"
    await noted(site, hour, alone, "left", "referring_physician")
    await left(site, hour, alone, "emptied")
    assert await state(site) == "interrupted", "and went"
    session = await site.services.rooms.open_session(hour["consultation"], site.clock())
    await joins(site, hour, session, "referring_physician", "consulting_physician")
    assert await state(site) == "live"
    await left(site, hour, session, "ended")
    assert await state(site) == "ended"
    assert (await coordinator.get("/api/cases")).json["cases"] == []


@pytest.mark.parametrize(
    ("words", "at_end", "stands"),
    [
        (("left", "left"), False, "ended"),
        (("left", "gone"), False, "interrupted"),
        (("gone", "gone"), True, "ended"),
    ],
)
async def test_who_took_leave_or_stayed_to_the_end_broke_nothing_off(
    site: Website, words: tuple[str, str], at_end: bool, stands: str
) -> None:
    hour = await an_hour(site)
    session = await entered(site, hour)
    roles = ("referring_physician", "consulting_physician")
    await joins(site, hour, session, *roles)
    at(site, hour["ends_at_ms"] - (0 if at_end else 60_000))
    for word, role in zip(words, roles, strict=True):
        await noted(site, hour, session, word, role)
    await site.services.rooms.mark_emptied(session.id, site.clock())
    at(site, hour["ends_at_ms"] + 540_000)  # the grace in which somebody may return
    await left(site, hour, session, "emptied")
    assert await state(site) == stands


async def test_its_physicians_may_say_that_what_was_broken_off_was_enough(site: Website) -> None:
    hour = await an_hour(site)
    lp = await site.signed_in("referring_physician")
    assert (await lp.post(END)).code == "wrong_state"
    session = await entered(site, hour)
    await joins(site, hour, session, "referring_physician", "consulting_physician")
    lp = await site.signed_in("referring_physician")
    assert (await lp.post(END)).code == "wrong_state", "the room is there to end it"
    await left(site, hour, session, "emptied")
    for role in ("coordinator", "interpreter", "reviewer", "site_operator", "privacy_officer"):
        assert (await (await site.signed_in(role)).post(END)).status == 403, role
    assert (await site.browser().post(END)).status == 401
    assert "end" in (await lp.get(f"/api/cases/{CASE_ID}/referral")).json["moves"]
    assert (await lp.post(END)).json == {"state": "ended"}
    assert ("case_ended", {"from": "interrupted", "to": "ended", "by": "referring_physician"}) in (
        await actions(site)
    )
    assert (await lp.post(END)).code == "wrong_state"


async def test_after_one_hour_comes_another(site: Website) -> None:
    hour, session = await talking(site)
    coordinator = await site.signed_in("coordinator")
    starts = [slot["starts_at_ms"] for slot in (await slots(coordinator))["slots"]]
    second = (await book(coordinator, starts[len(starts) // 2], "request-2")).json
    assert await state(site) == "live", "the one that runs"
    await left(site, hour, session, "ended")
    assert await state(site) == "scheduled", "the one to come"
    session = await entered(site, second)
    await joins(site, second, session, "referring_physician", "consulting_physician")
    await left(site, second, session, "ended")
    assert await state(site) == "ended"
    coordinator = await site.signed_in("coordinator")
    starts = [slot["starts_at_ms"] for slot in (await slots(coordinator))["slots"]]
    assert (await book(coordinator, max(starts), "request-3")).status == 201
    assert await state(site) == "scheduled"


async def test_called_off_while_somebody_waits_in_its_room_it_is_to_be_scheduled_again(site: Website) -> None:
    hour = await an_hour(site)
    session = await entered(site, hour)
    await joins(site, hour, session, "consulting_physician")
    coordinator = await site.signed_in("coordinator")
    why = {"request": "cancel-01", "side": "patient", "reason": "illness"}
    assert (await change(coordinator, hour, "cancel", **why)).status == 200
    assert await state(site) == "matched"
    await left(site, hour, session, "cancelled")
    assert await state(site) == "matched"


async def test_it_is_ready_once_its_patient_was_asked_and_agrees_to_be_seen(site: Website) -> None:
    hour = await an_hour(site)
    lp = await site.signed_in("referring_physician")
    for purpose in ("consultation", "transfer_abroad"):
        assert (await lp.post(BASE, await asked(lp, "granted", purpose))).status == 201
        assert await state(site) == "scheduled", purpose
    assert (await lp.post(BASE, await asked(lp, "declined", "recording"))).status == 201
    assert await state(site) == "ready", "a no to being recorded is an answer"
    assert (await lp.post(BASE, await asked(lp, "declined", "consultation"))).status == 201
    assert await state(site) == "scheduled"
    assert (await lp.post(BASE, await asked(lp, "granted", "consultation"))).status == 201
    session = await entered(site, hour)
    assert await state(site) == "prebrief"
    await left(site, hour, session, "emptied")
    assert await state(site) == "ready", "as it was before"
    said = [(name, detail.get("by")) for name, detail in await actions(site) if name in READY]
    assert said == [
        ("case_ready", "system"),
        ("case_not_ready", "system"),
        ("case_ready", "system"),
        ("case_ready", "system"),
    ]


async def test_what_was_broken_off_goes_on_at_another_hour(site: Website) -> None:
    hour, session = await talking(site)
    await left(site, hour, session, "emptied")
    assert await state(site) == "interrupted"
    coordinator = await site.signed_in("coordinator")
    starts = [slot["starts_at_ms"] for slot in (await slots(coordinator))["slots"]]
    assert (await move(coordinator, hour, starts[-1])).status == 200
    assert await state(site) == "scheduled"


async def test_an_hour_agreed_before_the_one_that_broke_off_is_the_next(site: Website) -> None:
    hour = await an_hour(site)
    coordinator = await site.signed_in("coordinator")
    starts = [slot["starts_at_ms"] for slot in (await slots(coordinator))["slots"]]
    second = (await book(coordinator, starts[-1], "request-2")).json
    session = await entered(site, hour)
    await joins(site, hour, session, "referring_physician", "consulting_physician")
    await left(site, hour, session, "emptied")
    assert await state(site) == "scheduled"
    coordinator = await site.signed_in("coordinator")
    why = {"request": "cancel-01", "side": "patient", "reason": "illness"}
    assert (await change(coordinator, second, "cancel", **why)).status == 200
    assert await state(site) == "ended", "one was held"


async def test_cancelled_while_they_talk_it_is_broken_off(site: Website) -> None:
    hour, session = await talking(site)
    await site.services.rooms.cancel(hour["consultation"], site.clock())
    await left(site, hour, session, "cancelled")
    assert await state(site) == "interrupted"
    lp = await site.signed_in("referring_physician")
    gone = await lp.post(f"/api/cases/{CASE_ID}/cancel", {"reason": "mistake"})
    assert gone.json == {"state": "cancelled"}


async def test_a_server_that_was_down_past_the_end_has_not_seen_it(site: Website) -> None:
    hour, session = await talking(site)
    at(site, hour["ends_at_ms"] + 300_000)
    await site.services.rooms.mark_emptied(session.id, site.clock())
    await left(site, hour, session, "emptied")
    assert await state(site) == "interrupted"
