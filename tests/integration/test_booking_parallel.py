"""Fifty who book at once, on SQLite and on PostgreSQL: one gets the hour; the books refuse a double."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from server.config import Settings
from server.domain.errors import Refused
from server.domain.people import Account
from server.services.booking import Hour, Order
from server.services.bundle import Services, build_services
from server.services.context import Context
from server.services.demo import CASE_ID, Demo
from server.services.finding import Search
from server.services.passwords import Passwords
from server.storage import accounts, appointments, audit
from server.storage.appointments import TakenError
from server.storage.database import Database
from server.storage.migrate import differences
from server.storage.schema_schedule import booked_quarters, bookings
from tests.support.fresh import migrated
from tests.support.website import CHEAP

AT_ONCE = 50
NOW = round(datetime(2026, 11, 27, 3, tzinfo=UTC).timestamp() * 1000)
QUARTER = 900_000


@pytest.fixture
async def instances(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Services, Services]]:
    """Two processes' services on one database with the demo's world."""
    settings = Settings(data_dir=tmp_path, database_url=database_url)
    databases = [Database(settings.database), Database(settings.database)]
    await migrated(databases[0])
    assert await differences(databases[0]) == []
    made = [
        build_services(Context(settings, database, lambda: NOW), Passwords(CHEAP)) for database in databases
    ]
    await Demo(made[0], tmp_path / "demo.json").prepare()
    yield made[0], made[1]
    for services in made:
        services.passwords.close()
        await services.context.database.close()


async def coordinator(services: Services) -> Account:
    async with services.context.database.read() as tx:
        found = await accounts.by_email(tx, "coordinator@demo.invalid")
    assert found
    return found[0]


async def attempt(services: Services, start: int, who: Account, number: int) -> str:
    try:
        made = await services.booking.book(CASE_ID, Hour(start, 60), Order(who, "", f"request-{number:03}"))
    except Refused as refused:
        return refused.code
    return str(made["consultation"])


async def first_hour(services: Services) -> int:
    found: dict[str, Any] = await services.finding.slots(CASE_ID, Search(date(2026, 11, 30), 5, 60))
    return int(found["slots"][0]["starts_at_ms"])


async def test_of_fifty_at_once_one_books_and_overlapping_ones_do_not(
    instances: tuple[Services, Services],
) -> None:
    start, who = await first_hour(instances[0]), await coordinator(instances[0])
    hours = [start + quarter * QUARTER for quarter in (0, 1, 2, 3)]
    answers = await asyncio.gather(*(attempt(instances[n % 2], hours[n % 4], who, n) for n in range(AT_ONCE)))
    counted = Counter(answer for answer in answers if answer in ("hour_taken", "hour_outside"))
    assert counted == {"hour_taken": AT_ONCE - 1}
    async with instances[0].context.database.read() as tx:
        rows = (await tx.execute(booked_quarters.select())).all()
        resources = (await tx.execute(bookings.select())).all()
        assert await audit.first_broken(tx) is None
    assert len(resources) == 5, "two physicians, the interpreter, two rooms"
    assert len(rows) == 5 * 4
    assert len({row.consultation_id for row in rows}) == 1


async def test_fifty_hours_one_after_another_are_all_booked_at_once(
    instances: tuple[Services, Services],
) -> None:
    who = await coordinator(instances[0])
    found = await instances[0].finding.slots(CASE_ID, Search(date(2026, 11, 30), 31, 60))
    hours = [slot["starts_at_ms"] for slot in found["slots"]]
    answers = await asyncio.gather(*(attempt(instances[n % 2], hour, who, n) for n, hour in enumerate(hours)))
    assert len(set(answers) - {"hour_taken", "hour_outside"}) == len(hours)


async def test_fifty_who_move_one_hour_at_once_move_it_once(instances: tuple[Services, Services]) -> None:
    start, who = await first_hour(instances[0]), await coordinator(instances[0])
    room = await attempt(instances[0], start, who, 0)

    async def move(number: int) -> str:
        order = Order(who, "", f"move-{number:06}")
        to = Hour(start + QUARTER * (1 + number % 3), 60)
        try:
            moved = await instances[number % 2].booking.move(room, to, 0, ("patient", "travel"), order)
        except Refused as refused:
            return refused.code
        return str(moved["sequence"])

    answers = Counter(await asyncio.gather(*(move(n) for n in range(AT_ONCE))))
    assert answers == {"1": 1, "hour_changed": AT_ONCE - 1}


async def test_the_books_refuse_what_is_booked_even_when_nobody_looked_first(
    instances: tuple[Services, Services],
) -> None:
    start, who = await first_hour(instances[0]), await coordinator(instances[0])
    room = await attempt(instances[0], start, who, 0)
    other = await attempt(instances[0], start + 4 * QUARTER, who, 1)
    span = (start + QUARTER, start + 2 * QUARTER)
    with pytest.raises(TakenError):
        async with instances[1].context.database.write() as tx:
            await appointments.book(tx, other, span, {who.id: "room", **await booked_by(instances[0], room)})
    async with instances[0].context.database.read() as tx:
        found = await appointments.bookings_of(tx, [room, other])
    assert len(found[room]) == len(found[other]) == 5, "nothing of it was kept"


async def booked_by(services: Services, room: str) -> dict[str, str]:
    async with services.context.database.read() as tx:
        return {one.resource_id: one.kind for one in (await appointments.bookings_of(tx, [room]))[room]}
