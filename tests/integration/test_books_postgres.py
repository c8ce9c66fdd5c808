"""The books of several instances in a real PostgreSQL: what is done at once comes out one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.clustering import one_at_a_time
from server.config import Settings
from server.domain.errors import Refused
from server.services.bundle import Services, build_services
from server.services.context import Context
from server.services.demo import CASE_ID, Demo
from server.storage import accounts, audit, consultations, sessions
from server.storage.database import Database
from server.storage.migrate import is_current, migrate
from tests.support.postgres import PostgresServer

AT_ONCE = 8


@pytest.fixture
async def instances(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[tuple[Services, Services]]:
    """Two processes' services on one database, brought up at the same moment."""
    url = await postgres.database()
    settings = Settings(data_dir=tmp_path, database_url=url, redis_url="redis://127.0.0.1:1/0")
    databases = [Database(url), Database(url)]

    async def up(database: Database) -> None:
        async with one_at_a_time(settings):
            await migrate(database)

    await asyncio.gather(*(up(database) for database in databases))
    assert await is_current(databases[0])
    made = [build_services(Context(settings, database)) for database in databases]
    yield made[0], made[1]
    for services in made:
        services.passwords.close()
        await services.context.database.close()


async def test_two_instances_that_open_a_session_at_once_open_the_same(
    instances: tuple[Services, Services], tmp_path: Path
) -> None:
    one, other = instances
    table = await Demo(one, tmp_path / "demo.json").prepare()
    room = table.consultation_id
    opened = await asyncio.gather(
        *(each.rooms.open_session(room, 1_000 + n) for n in range(AT_ONCE) for each in (one, other))
    )
    assert len({session.id for session in opened}) == 1
    epochs = sorted(session.epoch for session in opened)
    assert epochs == list(range(1, 2 * AT_ONCE + 1)), "a fencing token is given out once"
    more = await asyncio.gather(*(each.rooms.next_epoch(opened[0].id) for each in (one, other, one, other)))
    assert sorted(more) == [epochs[-1] + n for n in range(1, 5)]
    async with one.context.database.read() as tx:
        [session] = await sessions.unended(tx, room)
        assert session.epoch == max(more)
        found = await consultations.by_id(tx, room)
        assert found is not None
        assert found.state == "live"
        await other.rooms.next_epoch(session.id)
        assert await sessions.by_id(tx, session.id) == session, "a look sees one state while others write"
    async with one.context.database.read() as tx:
        after = await sessions.by_id(tx, session.id)
    assert after is not None
    assert after.epoch == session.epoch + 1


async def test_the_audit_chain_of_two_instances_is_one_line(instances: tuple[Services, Services]) -> None:
    async def write(services: Services, number: int) -> None:
        async with services.context.database.write() as tx:
            await audit.append(tx, number, audit.Entry("session_started", "session", str(number), ""))

    await asyncio.gather(*(write(each, n) for n in range(AT_ONCE) for each in instances))
    assert await audit.check(instances[1].context.database) is None
    async with instances[0].context.database.read() as tx:
        assert await audit.first_broken(tx) is None


async def test_two_coordinators_who_decide_at_once_decide_once(
    instances: tuple[Services, Services], tmp_path: Path
) -> None:
    one, other = instances
    await Demo(one, tmp_path / "demo.json").prepare()
    async with one.context.database.read() as tx:
        found = await accounts.by_email(tx, "coordinator@demo.invalid")
    assert found
    made = await one.matching.propose(CASE_ID, None, found[0], "")
    proposal, first = made["proposal"]["id"], made["proposal"]["ranked"][0]["department"]

    async def decide(services: Services, number: int) -> str:
        why, department = ("cost", f"demo-department-{number + 2:02}") if number else (None, first)
        try:
            await services.matching.decide(CASE_ID, proposal, department, None, why, "", found[0], "")
        except Refused as refused:
            return refused.code
        return "done"

    told = await asyncio.gather(*(decide((one, other)[n % 2], n) for n in range(AT_ONCE)))
    assert sorted(told) == ["done", *["match_decided"] * (AT_ONCE - 1)]
    async with other.context.database.read() as tx:
        assert await audit.first_broken(tx) is None
