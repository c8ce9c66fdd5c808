"""Sessions in the books: epochs, continuing, running dry, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from server.config import load_settings
from server.directory import Books as Directory
from server.domain.errors import Refused
from server.services.bundle import Services, build_services
from server.services.context import Context, NoRooms, unix_ms
from server.services.demo import Demo
from server.services.passwords import Passwords
from server.storage import consultations
from server.storage import sessions as rows
from server.storage.database import Database
from tests.support.fresh import migrated

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
MINUTE = 60_000


class Somebody(NoRooms):
    """A room that a test fills and empties."""

    def __init__(self) -> None:
        self.there: set[str] = set()

    async def presence(self, room: str) -> set[str]:
        return set(self.there)


@dataclass
class Books:
    services: Services
    room: str
    live: Somebody = field(default_factory=Somebody)

    async def session(self, session_id: str) -> object:
        async with self.services.context.database.read() as tx:
            return await rows.by_id(tx, session_id)

    async def state(self) -> str:
        async with self.services.context.database.read() as tx:
            found = await tx.exec_driver_sql("SELECT state FROM consultations WHERE id = ?", (self.room,))
            return str(found.scalar_one())


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    settings = load_settings(None, data_dir=tmp_path, demo=True)
    database = Database(settings.database)
    await migrated(database)
    services = build_services(Context(settings, database), Passwords(CHEAP))
    table = await Demo(services, settings.secrets_dir / "demo.json").prepare()
    made = Books(services, table.consultation_id)
    services.context.live = made.live
    yield made
    services.passwords.close()
    await database.close()


async def test_fifty_parallel_epochs_are_all_different(books: Books) -> None:
    session = await books.services.rooms.open_session(books.room, unix_ms())
    epochs = await asyncio.gather(*(books.services.rooms.next_epoch(session.id) for _ in range(50)))
    assert sorted(epochs) == list(range(2, 52))


async def test_parallel_joins_open_one_session(books: Books) -> None:
    opened = await asyncio.gather(
        *(books.services.rooms.open_session(books.room, unix_ms()) for _ in range(10))
    )
    assert len({session.id for session in opened}) == 1
    assert sorted(session.epoch for session in opened) == list(range(1, 11))


async def test_a_return_within_the_grace_continues_and_after_it_starts_anew(books: Books) -> None:
    open_session, now = books.services.rooms.open_session, unix_ms()
    first = await open_session(books.room, now)
    await books.services.rooms.mark_emptied(first.id, now)
    back = await open_session(books.room, now + 9 * MINUTE)
    assert (back.id, back.epoch) == (first.id, 2)
    await books.services.rooms.mark_emptied(first.id, now + 9 * MINUTE)
    anew = await open_session(books.room, now + 19 * MINUTE)
    assert anew.id != first.id
    assert anew.epoch == 1


async def test_the_chair_ending_it_closes_the_consultation_once(books: Books) -> None:
    now = unix_ms()
    session = await books.services.rooms.open_session(books.room, now)
    for _ in range(2):
        await books.services.rooms.end_session(books.room, session.id, "ended", now + 1)
    assert await books.state() == "ended"
    with pytest.raises(Refused) as refused:
        await books.services.rooms.open_session(books.room, now + 2)
    assert refused.value.code == "ended"


async def test_after_a_crash_the_grace_starts_when_it_is_noticed(books: Books) -> None:
    now = unix_ms()
    session = await books.services.rooms.open_session(books.room, now)
    assert await books.services.rooms.end_abandoned(now + MINUTE) == []
    assert await books.services.rooms.end_abandoned(now + 10 * MINUTE) == []
    assert await books.services.rooms.end_abandoned(now + 11 * MINUTE) == [session.id]
    assert await books.state() == "scheduled"


async def test_a_session_with_somebody_in_it_is_never_abandoned(books: Books) -> None:
    now = unix_ms()
    session = await books.services.rooms.open_session(books.room, now)
    await books.services.rooms.end_abandoned(now + MINUTE)  # nobody just then
    books.live.there = {"seat"}
    assert await books.services.rooms.end_abandoned(now + 30 * MINUTE) == []
    found = await books.session(session.id)
    assert found is not None
    assert (getattr(found, "emptied_ms", 0), getattr(found, "ended_ms", 0)) == (None, None)


async def test_who_had_stepped_out_and_the_mode_are_read_from_the_time_line(books: Books) -> None:
    directory = Directory(books.services)
    first = await directory.open_session(books.room, unix_ms())
    assert (first.out, first.mode) == (frozenset(), "consecutive")
    async with books.services.context.database.read() as tx:
        seats = [seat.id for seat in await consultations.seats_of(tx, {books.room})]
    for what, seat in (
        ("step_out", seats[0]),
        ("step_out", seats[1]),
        ("mode:simultaneous", None),
        ("step_in", seats[0]),
        ("floor:voice", seats[0]),
    ):
        await directory.note(first.id, unix_ms(), what, seat)
    again = await directory.open_session(books.room, unix_ms())
    assert (again.id, again.epoch) == (first.id, 2)
    assert (again.out, again.mode) == (frozenset({seats[1]}), "simultaneous")


async def test_an_unknown_session_or_room_is_refused(books: Books) -> None:
    with pytest.raises(LookupError):
        await books.services.rooms.next_epoch("unknown")
    with pytest.raises(Refused):
        await books.services.rooms.open_session("unknown", unix_ms())


async def test_the_schema_is_what_the_migrations_make(books: Books) -> None:
    from server.storage.migrate import differences, is_current

    assert await is_current(books.services.context.database)
    assert await differences(books.services.context.database) == []


async def test_a_fresh_demo_consultation_follows_one_that_is_over(books: Books) -> None:
    demo = Demo(books.services, books.services.context.settings.secrets_dir / "demo.json")
    before = await demo.prepare()
    assert before.consultation_id == books.room
    session = await books.services.rooms.open_session(books.room, unix_ms())
    await books.services.rooms.end_session(books.room, session.id, "ended", unix_ms())
    after = await demo.prepare()
    assert after.consultation_id != before.consultation_id
    assert after.accounts == before.accounts
    assert {seat.room_url for seat in after.seats}.isdisjoint(seat.room_url for seat in before.seats)
