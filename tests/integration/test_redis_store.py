"""What only a shared store must do, on a real Redis that is killed, held and restarted."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from signaling.document import RoomDocument, new_document
from signaling.redis_store import RedisRoomStore
from signaling.store import StoreAwayError
from tests.support.redis_server import RedisServer, redis_server
from tests.support.rooms import ROOM, three_seats

FIRST = replace(new_document(ROOM, three_seats()), version=1)


def version(number: int, **changed: object) -> RoomDocument:
    return replace(FIRST, version=number, **changed)  # type: ignore[arg-type]


@pytest.fixture
def own() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
async def pair(
    own: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[RedisRoomStore, RedisRoomStore]]:
    for name in (
        "ANSWER_S",
        "CONNECT_S",
    ):  # a machine that stands still for a moment is no Redis that is away
        monkeypatch.setattr(f"signaling.redis_store.{name}", 10.0)
    monkeypatch.setattr("signaling.redis_store.RESTORE_S", 0.7)
    stores = (RedisRoomStore(own.url), RedisRoomStore(own.url))
    for one in stores:
        await one.start()
    yield stores
    for one in stores:
        await one.aclose()


async def test_of_two_instances_that_change_a_room_at_once_one_is_told_to_look_again(
    redis: RedisServer,
) -> None:
    prefix = secrets.token_hex(4) + ":"
    one, other = RedisRoomStore(redis.url, prefix), RedisRoomStore(redis.url, prefix)
    await one.start()
    await other.start()
    for number in range(1, 30):
        done = await asyncio.gather(
            one.compare_and_set(ROOM, number - 1, version(number)),
            other.compare_and_set(ROOM, number - 1, version(number)),
        )
        assert sorted(done) == [False, True]
    assert await one.turn(ROOM)
    assert not await other.turn(ROOM), "one tick a second, whoever is first"
    await one.aclose()
    await other.aclose()


async def test_a_redis_that_was_killed_comes_back_with_the_newest_of_what_the_instances_saw(
    own: RedisServer, pair: tuple[RedisRoomStore, RedisRoomStore]
) -> None:
    one, other = pair
    back: list[str] = []
    one.on_back = lambda: back.append("one")
    await one.compare_and_set(ROOM, 0, version(1))
    await other.load(ROOM)
    await other.compare_and_set(ROOM, 1, version(2, session="session-2"))
    own.kill()
    with pytest.raises(StoreAwayError):
        await one.load(ROOM)
    with pytest.raises(StoreAwayError):
        await other.compare_and_set(ROOM, 2, version(3))
    assert one.away
    own.start()
    async with asyncio.timeout(10):
        await asyncio.gather(one.back(), other.back())
    assert await one.load(ROOM) == (2, version(2, session="session-2"))
    assert await one.room_of("session-2") == ROOM
    assert back == ["one"]
    assert await one.compare_and_set(ROOM, 2, version(3))


async def test_a_room_that_is_gone_does_not_come_back_with_redis(
    own: RedisServer, pair: tuple[RedisRoomStore, RedisRoomStore]
) -> None:
    one, other = pair
    await one.compare_and_set(ROOM, 0, version(1))
    await other.load(ROOM)
    await one.remove(ROOM, 1)
    assert await other.rooms() == [], "each tick looks which rooms there are"
    own.kill()
    with pytest.raises(StoreAwayError):
        await other.rooms()
    own.start()
    async with asyncio.timeout(10):
        await asyncio.gather(one.back(), other.back())
    assert await other.rooms() == []


async def test_a_redis_that_swallows_holds_nobody_up_for_long(
    own: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signaling.redis_store.ANSWER_S", 1.0)
    store = RedisRoomStore(own.url)
    await store.start()
    own.hold()
    async with asyncio.timeout(30):
        with pytest.raises(StoreAwayError):
            await store.load(ROOM)
    with monkeypatch.context() as nobody:
        nobody.setattr(
            store._redis, "hmget", None
        )  # known to be away, it is not asked: that would be a TypeError
        with pytest.raises(StoreAwayError):
            await store.load(ROOM)
    own.let_go()
    async with asyncio.timeout(15):
        await store.back()
    assert await store.rooms() == []
    await store.aclose()


async def test_a_store_without_redis_does_not_start(own: RedisServer) -> None:
    own.kill()
    store = RedisRoomStore(own.url)
    with pytest.raises(StoreAwayError):
        await store.start()
    await store.aclose()
