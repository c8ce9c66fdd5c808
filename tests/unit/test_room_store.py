"""What every RoomStore must do; a store shared by several instances runs the same tests."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from signaling.document import new_document
from signaling.store import MemoryRoomStore, RoomStore
from signaling.tasks import TaskOwner
from tests.support.rooms import ROOM, three_seats


@pytest.fixture(params=[MemoryRoomStore])
def store(request: pytest.FixtureRequest) -> RoomStore:
    made: RoomStore = request.param()
    return made


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
