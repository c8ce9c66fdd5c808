"""What needs somebody now, besides whose turn a case is: told to those whose work it is, gone when done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.domain.documents import Document, State
from server.domain.renderings import Flag
from server.services import account_mails
from server.services.demo import ALMATY, CASE_ID
from server.storage import audit, documents, renderings, sessions
from server.storage.schema_mails import mails
from tests.integration.test_booking import account, book, change, slots
from tests.integration.test_consents_web import BASE, asked
from tests.integration.test_people import LICENCE, PERSON
from tests.support.website import Browser, Website, website

FRIDAY = datetime(2026, 11, 27, 3, tzinfo=UTC)
HOUR_MS = 3_600_000
ROLES = (
    "referring_physician",
    "site_operator",
    "coordinator",
    "consulting_physician",
    "interpreter",
    "reviewer",
    "privacy_officer",
    "programme_admin",
)
#: Browsers of one test by role: signing in takes longer than asking.
SIGNED_IN: dict[str, Browser] = {}


@asynccontextmanager
async def on_friday(folder: Path) -> AsyncIterator[Website]:
    """With no hour agreed yet, and nobody signed in."""
    async with website(folder) as made:
        await made.services.rooms.cancel(made.table.consultation_id, made.clock())  # the demo's own, open now
        made.clock.turn_to(FRIDAY)
        SIGNED_IN.clear()
        yield made


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with on_friday(tmp_path / "data") as made:
        yield made


async def tasks(site: Website, role: str) -> list[dict[str, Any]]:
    kept = SIGNED_IN.get(role)
    answer = await kept.get("/api/cases") if kept else None
    if answer is None or answer.status == 401:  # the clock was turned far
        SIGNED_IN[role] = await site.signed_in(role)
        answer = await SIGNED_IN[role].get("/api/cases")
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.json["tasks"]
    return found


async def who(site: Website, why: str) -> dict[str, int]:
    """How many tasks of this kind each role has; those with none are not there."""
    found = {role: sum(task["why"] == why for task in await tasks(site, role)) for role in ROLES}
    return {role: count for role, count in found.items() if count}


async def an_hour(site: Website) -> dict[str, Any]:
    """Booked for the Monday after."""
    coordinator = await site.signed_in("coordinator")
    slot = (await slots(coordinator))["slots"][0]
    hour: dict[str, Any] = (await book(coordinator, slot["starts_at_ms"])).json
    return hour


def at(site: Website, ms: int) -> None:
    site.clock.turn_to(datetime.fromtimestamp(ms / 1000, UTC))


async def test_what_an_hour_lacks_of_consents_is_the_sites_task_and_the_coordinators_from_the_day_before(
    site: Website,
) -> None:
    assert await who(site, "consents") == {}
    hour = await an_hour(site)
    assert await who(site, "consents") == {"referring_physician": 1, "site_operator": 1}
    (task,) = await tasks(site, "site_operator")
    assert (task["due_ms"], task["case"], task["begins"]) == (hour["starts_at_ms"], CASE_ID, hour["begins"])
    assert task["lacking"] == ["consultation", "recording", "transfer_abroad"]
    assert (await (await site.signed_in("referring_physician")).get("/api/cases")).json["cases"] == []
    at(site, hour["starts_at_ms"] - 24 * HOUR_MS)
    assert await who(site, "consents") == {"referring_physician": 1, "site_operator": 1, "coordinator": 1}
    lp = await site.signed_in("referring_physician")
    assert (await lp.post(BASE, await asked(lp, "declined", "recording"))).status == 201
    (task,) = await tasks(site, "coordinator")
    assert task["lacking"] == ["consultation", "transfer_abroad"], "a no to being recorded is an answer"
    assert (await lp.post(BASE, await asked(lp, "granted", "consultation"))).status == 201
    assert (await lp.post(BASE, await asked(lp, "declined", "transfer_abroad"))).status == 201
    assert await who(site, "consents") == {}
    assert await who(site, "consent_refused") == {
        "referring_physician": 1,
        "site_operator": 1,
        "coordinator": 1,
    }
    assert (await lp.post(BASE, await asked(lp, "granted", "transfer_abroad"))).status == 201
    assert await tasks(site, "referring_physician") == []
    assert await tasks(site, "coordinator") == []


async def test_an_hour_that_nobody_came_to_is_the_coordinators_and_then_another_is_to_be_found(
    site: Website,
) -> None:
    hour = await an_hour(site)
    at(site, hour["ends_at_ms"] + HOUR_MS - 60_000)
    assert await who(site, "hour_passed") == {}
    at(site, hour["ends_at_ms"] + HOUR_MS)
    assert await who(site, "hour_passed") == {"coordinator": 1}
    coordinator = await site.signed_in("coordinator")
    gone = {"request": "missed-01", "seats": [hour["seats"][0]["id"]]}
    assert (await change(coordinator, hour, "no-show", **gone)).status == 200
    assert await who(site, "hour_passed") == {}
    (turn,) = (await coordinator.get("/api/cases")).json["cases"]
    assert (turn["id"], turn["why"]) == (CASE_ID, "no_show")
    assert (await (await site.signed_in("referring_physician")).get("/api/cases")).json["cases"] == []


async def test_an_hour_at_which_people_met_is_nobodys_task_any_more(site: Website) -> None:
    hour = await an_hour(site)
    at(site, hour["starts_at_ms"])
    session = await site.services.rooms.open_session(hour["consultation"], site.clock())
    for seat in hour["seats"]:
        await site.services.rooms.note(session.id, site.clock(), "joined", seat["id"])
    assert await who(site, "hour_passed") == {}
    await site.services.rooms.end_session(hour["consultation"], session.id, "ended", site.clock())
    at(site, hour["ends_at_ms"] + 2 * HOUR_MS)
    assert await who(site, "hour_passed") == {}


async def test_a_mail_that_reached_nobody_is_the_coordinators(site: Website) -> None:
    hour = await an_hour(site)
    assert await who(site, "mail_refused") == {}
    async with site.database.write() as tx:
        first = (await tx.execute(mails.select())).first()
        assert first is not None
        await tx.execute(mails.update().where(mails.c.id == first.id).values(state="refused"))
    assert await who(site, "mail_refused") == {"coordinator": 1}
    task = next(one for one in await tasks(site, "coordinator") if one["why"] == "mail_refused")
    assert (task["count"], task["begins"]) == (1, hour["begins"])


async def test_a_document_waits_for_whoever_brought_it(site: Website) -> None:
    mine = await account(site, "site_operator")
    async with site.database.write() as tx:
        for n, state in enumerate((State.CONFIRM, State.CONFIRM, State.QUARANTINED, State.READY)):
            one = Document(
                f"doc-{n}", CASE_ID, f"r{n}", "study.dcm", "imaging", "case", False, state, 9, 9, "",
                "0" * 64, mine, 1, 5 + n,
            )  # fmt: skip
            await documents.add(tx, one)
    found = await tasks(site, "site_operator")
    assert [(one["why"], one["count"], one["since_ms"]) for one in found] == [
        ("document_confirm", 2, 5),
        ("document_quarantined", 1, 7),
    ]
    assert "study" not in str(found), "nothing of the file"
    assert await who(site, "document_confirm") == {"site_operator": 1}


async def test_doubts_about_renderings_wait_for_their_interpreter(site: Website) -> None:
    hour = await an_hour(site)
    at(site, hour["starts_at_ms"])
    session = await site.services.rooms.open_session(hour["consultation"], site.clock())
    seat = next(one["id"] for one in hour["seats"] if one["role"] == "interpreter")
    by = await account(site, "reviewer")
    async with site.database.write() as tx:
        assert await sessions.by_id(tx, session.id)
        for n in range(2):
            await renderings.add(tx, Flag(f"flag-{n}", session.id, seat, 0, 1, "ru", "ko", "?", by, 3 + n))
    (task,) = await tasks(site, "interpreter")
    assert (task["why"], task["count"], task["since_ms"]) == ("flags", 2, 3)
    async with site.database.write() as tx:
        for n in range(2):
            await renderings.answer(tx, f"flag-{n}", "so it was said", by, site.clock())
    assert await who(site, "flags") == {}


async def test_a_licence_waits_for_who_may_say_that_they_saw_it_and_its_owner_knows_that_it_ends(
    site: Website,
) -> None:
    assert (await who(site, "licence"), await who(site, "own_licence_ends")) == ({}, {})
    lp, admin = await site.signed_in("referring_physician"), await site.signed_in("programme_admin")
    mine = f"/api/people/{await account(site, 'referring_physician')}"
    assert (await lp.post(f"{mine}/licence", LICENCE | {"expires": "2026-12-15"})).status == 200
    assert await who(site, "licence") == {"programme_admin": 1}
    (task,) = await tasks(site, "programme_admin")
    assert mine.endswith(task["about"])
    assert task["name"]
    assert await who(site, "own_licence") == {}, "they did what they can"
    assert (await admin.post(f"{mine}/licence/verify", {"number": "KZ-000", "seen": True})).status == 200
    assert await who(site, "licence") == {}
    assert await who(site, "own_licence_ends") == {"referring_physician": 1}
    site.clock.turn_to(datetime(2026, 12, 16, 3, tzinfo=UTC))
    assert await who(site, "own_licence") == {"referring_physician": 1}
    assert await who(site, "licence_expired") == {"programme_admin": 1}


async def test_who_was_invited_and_never_came_is_asked_after(site: Website) -> None:
    admin = await site.signed_in("programme_admin")
    made = (await admin.post(f"/api/sites/{ALMATY}/people", PERSON)).json
    async with site.database.write() as tx:
        await account_mails.write(tx, made["id"], "invitation", site.clock())
    site.clock.advance(hours=71)
    assert await who(site, "invited") == {}
    site.clock.advance(hours=2)
    assert await who(site, "invited") == {"programme_admin": 1}
    (task,) = await tasks(site, "programme_admin")
    assert (task["about"], task["name"]) == (made["id"], PERSON["name"])
    assert (
        await (await site.signed_in("programme_admin")).post(f"/api/people/{made['id']}/leave")
    ).status == 200
    assert await who(site, "invited") == {}


async def test_last_months_review_is_the_privacy_officers_until_it_is_signed(site: Website) -> None:
    async with site.database.write() as tx:
        await audit.append(tx, site.clock(), audit.Entry("case_read", "case", CASE_ID, ""))
    assert await who(site, "audit_review") == {}, "nothing is older than this month"
    site.clock.turn_to(datetime(2026, 12, 2, 3, tzinfo=UTC))
    assert await who(site, "audit_review") == {"privacy_officer": 1}
    (task,) = await tasks(site, "privacy_officer")
    assert (task["label"], task["due_ms"]) == (
        "2026-11",
        round(datetime(2026, 12, 15, tzinfo=UTC).timestamp() * 1000),
    )
    officer = await site.signed_in("privacy_officer")
    made = await officer.post("/api/audit/reviews", {"month": "2026-11"})
    assert made.status < 300, made.text
    assert await who(site, "audit_review") == {"privacy_officer": 1}, "made is not read"
    listed = (await officer.get("/api/audit/reviews")).json["reviews"][0]
    shown = (await officer.get(f"/api/audit/reviews/{listed['id']}")).json
    body = {"sha256": shown["sha256"], "remarks": "Read."}
    signed = await officer.post(f"/api/audit/reviews/{listed['id']}/sign", body)
    assert signed.status < 300, signed.text
    assert await who(site, "audit_review") == {}
