"""The audit in its own database: whose data, one line, and nobody changes a row. SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from server.config import Settings
from server.services.bundle import build_services
from server.services.context import Context
from server.services.demo import CASE_ID, Demo
from server.services.demo_referral import PATIENT_ID
from server.storage import audit, audit_trail, patients
from server.storage.audit import Entry
from server.storage.audit_trail import Filter
from server.storage.database import Database
from server.storage.migrate import differences, migrate
from tests.support.fresh import migrated

HARMS = (
    "UPDATE audit SET address = 'elsewhere'",
    "UPDATE audit SET at_ms = at_ms + 1 WHERE id = 1",
    "DELETE FROM audit",
    "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)",
)
FORKED = (
    "INSERT INTO audit (id, at_ms, action, subject_type, subject_id, address, detail, prev_hash, hash) "
    "SELECT {number}, at_ms, action, subject_type, subject_id, address, detail, prev_hash, {hash} "
    "FROM audit WHERE id = 2"
)


@pytest.fixture
async def books(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(Settings(data_dir=tmp_path, database_url=database_url).database)
    await migrated(database)
    yield database
    await database.close()


async def write(database: Database, number: int, **more: str) -> None:
    async with database.write() as tx:
        await audit.append(tx, number, Entry("case_read", "case", str(number), "198.51.100.7", **more))


async def test_what_is_written_at_once_is_one_line_that_no_statement_can_change(books: Database) -> None:
    await asyncio.gather(*(write(books, number) for number in range(1, 25)))
    assert await audit.check(books) is None
    insert_again = "INSERT OR REPLACE" if books.is_sqlite else "INSERT"
    forks = [
        FORKED.format(number="(SELECT max(id) + 1 FROM audit)", hash="'" + "f" * 64 + "'"),
        FORKED.format(number=2, hash="hash").replace("INSERT", insert_again, 1),
    ]
    for harm in (*HARMS, *forks, *([] if books.is_sqlite else ["TRUNCATE audit"])):
        with pytest.raises(DBAPIError):
            async with books.write() as tx:
                await tx.exec_driver_sql(harm)
    assert await audit.check(books) is None
    async with books.read() as tx:
        assert (await tx.exec_driver_sql("SELECT count(*) FROM audit")).scalar_one() == 24
        assert await audit.newest(tx) == (24, await audit.head(tx))
    assert await differences(books) == []


async def test_an_entry_about_a_case_names_its_patient_of_then(books: Database, tmp_path: Path) -> None:
    services = build_services(Context(Settings(data_dir=tmp_path), books))
    await Demo(services, tmp_path / "demo.json").prepare()
    who = {"account_id": (await accounts_of(books))[0], "case_id": CASE_ID}
    await write(books, 1, **who)
    async with books.write() as tx:
        before = await patients.by_id(tx, PATIENT_ID)
        assert before
        wanted = Filter(patient_id=PATIENT_ID, action="case_read")
        found = await audit_trail.newest_first(tx, wanted, None, 10)
        assert [(one.entry.account_id, one.entry.case_id) for one in found] == [(who["account_id"], CASE_ID)]
        await tx.exec_driver_sql("DELETE FROM case_patients")
        again = await audit_trail.newest_first(tx, wanted, None, 10)
        assert again == found, "it stays their entry, whosever the case becomes"
    services.passwords.close()


async def accounts_of(books: Database) -> list[str]:
    async with books.read() as tx:
        return list((await tx.exec_driver_sql("SELECT id FROM accounts ORDER BY id")).scalars())


INSERT_OLD = (
    "INSERT INTO audit (at_ms, action, subject_type, subject_id, address, detail, prev_hash, hash, version) "
    "VALUES (?, 'case_read', 'case', '1', '', '{}', ?, ?, 1)"
)


async def test_entries_of_before_are_part_of_the_same_chain_and_a_new_one_cannot_pose_as_old(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'books.sqlite3'}")
    await migrate(database)
    old = Entry("case_read", "case", "1", "")
    for number in (1, 2):
        await write_old(database, number, old)
    await write(database, 3)
    assert await audit.check(database) is None
    await write_old(database, 4, old)
    assert await audit.check(database) == 4
    await database.close()


async def write_old(books: Database, number: int, entry: Entry) -> None:
    async with books.write() as tx:
        before = await audit.head(tx)
        whole = audit.chained(before, number, entry, version=1)
        await tx.exec_driver_sql(INSERT_OLD, (number, before, whole))
