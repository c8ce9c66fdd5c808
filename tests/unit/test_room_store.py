"""What every RoomStore must do, in this process and in a real Redis."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from signaling.document import new_document
from signaling.redis_store import RedisRoomStore
from signaling.store import MemoryRoomStore, RoomStore
from signaling.tasks import TaskOwner
from tests.support.rooms import ROOM, three_seats


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[RoomStore]:
    if request.param == "memory":
        yield MemoryRoomStore()
        return
    shared = RedisRoomStore(request.getfixturevalue("redis").url, secrets.token_hex(4) + ":")
    await shared.start()
    yield shared
    await shared.aclose()


FIRST = replace(new_document(ROOM, three_seats()), version=1)


async def test_a_room_that_was_never_stored_is_none(store: RoomStore) -> None:
    assert await store.load(ROOM) is None
    assert await store.rooms() == []


async def test_what_was_stored_is_loaded_again_with_its_version(store: RoomStore) -> None:
    assert await store.compare_and_set(ROOM, 0, FIRST)
    assert await store.load(ROOM) == (1, FIRST)
    assert await store.rooms() == [ROOM]


async def test_who_saw_an_older_version_may_not_store(store: RoomStore) -> None:
    await store.compare_and_set(ROOM, 0, FIRST)
    assert not await store.compare_and_set(ROOM, 0, FIRST)
    assert await store.compare_and_set(ROOM, 1, replace(FIRST, version=2))
    assert not await store.compare_and_set(ROOM, 1, replace(FIRST, version=3))


async def test_a_version_that_does_not_grow_is_a_mistake(store: RoomStore) -> None:
    with pytest.raises(ValueError, match="grows"):
        await store.compare_and_set(ROOM, 1, FIRST)


async def test_only_the_version_that_was_seen_is_removed(store: RoomStore) -> None:
    assert not await store.remove(ROOM, 0)
    await store.compare_and_set(ROOM, 0, FIRST)
    assert not await store.remove(ROOM, 7)
    assert await store.remove(ROOM, 1)
    assert await store.load(ROOM) is None


async def test_the_room_of_a_session_is_found_until_the_room_is_gone(store: RoomStore) -> None:
    assert await store.room_of("session-1") is None
    await store.compare_and_set(ROOM, 0, replace(FIRST, session="session-1"))
    assert await store.room_of("session-1") == ROOM
    await store.remove(ROOM, 1)
    await store.rooms()
    assert await store.room_of("session-1") is None


async def test_a_store_that_answers_is_not_away(store: RoomStore) -> None:
    assert not store.away
    await store.back()
    assert await store.turn(ROOM)


async def test_a_task_that_fails_is_logged_without_what_it_said(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("MARK-OF-A-PATIENT")

    owner = TaskOwner()
    owner.start(fails(), "failing")
    await asyncio.sleep(0.01)
    await owner.aclose()
    assert "ValueError" in caplog.text
    assert "MARK" not in caplog.text


async def test_a_closed_owner_cancels_its_tasks_and_takes_no_more() -> None:
    owner = TaskOwner()
    task = owner.start(asyncio.sleep(60), "sleeping")
    await owner.aclose()
    await owner.aclose()
    assert task.cancelled()
    with pytest.raises(RuntimeError):
        owner.start(asyncio.sleep(0), "late")
