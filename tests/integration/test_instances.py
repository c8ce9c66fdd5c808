"""Two web instances, two workers, one room, a real Redis: each killed, stopped, or lost and back."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.support import decode
from tests.support.instances import Instance, Pair, Talk, pair, talk, until
from tests.support.postgres import PostgresServer

FAILOVER_S = 10.0
"""Media is back after so long, says the specification; the machine of the tests is slower than any in use."""
SLOW = 1.5


def host_of(both: Pair) -> Instance:
    """The instance whose worker has the room."""
    return next(one for one in both.instances if one.labelled("hyeopjin_worker_rooms") >= 1)


def stored_of(both: Pair, epoch: int) -> int:
    """Bytes in the journal of one epoch of the one recording."""
    return sum(path.stat().st_size for path in (both.one.data / "journal").glob(f"*/{epoch}/*.seg"))


async def recording_of(instance: Instance) -> dict[str, object]:
    rows = await asyncio.to_thread(instance.command, "recordings", "list")
    assert len(rows) == 1, rows
    found: dict[str, object] = rows[0]
    return found


async def test_redis_a_worker_and_an_instance_are_lost_in_one_consultation(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        async with talk(both) as room:
            await redis_is_lost_and_back(both, room)
            connects = [len(page.connects) for page in room.pages]
            [worker] = host_of(both).workers()
            os.kill(worker, signal.SIGKILL)
            took = await room.moved(connects) + await room.hears(0, 1)
            assert took < FAILOVER_S * SLOW
            assert {page.connection.split(".")[1] for page in room.pages} == {"2"}, "the next epoch, once"
            assert not room.person(0)["mic"], "still muted"
            await stop_the_worker(both, room, seconds=0.5)
            await kill_an_instance(both, room)
            assert not room.person(0)["mic"], "still muted"
            for page in room.pages:
                await page.leave()
        await finished(both.other, epochs=int(room.pages[1].connection.split(".")[1]))
        await asyncio.to_thread(both.other.stop)


async def redis_is_lost_and_back(both: Pair, room: Talk) -> None:
    """Media goes on; what was done meanwhile is done; nobody is there who is not, nor thrown out who is."""
    first = room.pages[0]
    connections = [page.connection for page in room.pages]
    both.redis.kill()
    await until(lambda: both.one.ready()["checks"]["redis"] is False, "noticed")
    assert both.one.get("/healthz")[0] == 200
    await room.hears(0, 1, seconds=5)
    first.mic = False
    refused = await first.says("media", {"mic": False, "camera": True})
    assert refused == {"ok": False, "code": "store_away"}
    await room.pages[1].decide("declined")
    await room.hears(0, 1, seconds=5)
    both.redis.start()
    await until(lambda: not room.person(0)["mic"], "the mute was not forgotten")
    await until(lambda: room.person(1)["consent"] == "declined", "nor was the withdrawal")
    await until(lambda: not room.person(1)["recorded"], "and media has heard of it")
    await until(lambda: all(one.ready()["ready"] for one in both.instances), "both are ready again")
    await room.hears(0, 1, seconds=5)
    assert [page.connection for page in room.pages] == connections, "nobody's media was touched"
    assert all(person["present"] for person in room.room["participants"][:2])
    assert sum(bool(person["present"]) for person in room.room["participants"]) == 2, "no ghost"
    assert not any(person["away"] for person in room.room["participants"])
    await room.pages[1].decide("granted")
    await until(lambda: bool(room.person(1)["recorded"]), "recorded again")


async def finished(instance: Instance, epochs: int) -> None:
    """The recording is whole and ready, by whoever does the work now."""

    async def ready() -> bool:
        row = await recording_of(instance)
        return row["state"] == "ready" and row["epochs_finalised"] == epochs

    async with asyncio.timeout(60):
        while not await ready():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.5)
    [recording] = await asyncio.to_thread(decode.recordings, instance.data)
    report = await asyncio.to_thread(instance.command, "recordings", "verify", recording)
    assert report["chain"] == "intact", report


async def stop_the_worker(both: Pair, room: Talk, seconds: float) -> None:
    """SIGSTOP: its rooms move on; when it wakes it forwards and stores nothing, counted."""
    host = host_of(both)
    [worker] = host.workers()
    epoch = int(room.pages[0].connection.split(".")[1])
    connects = [len(page.connects) for page in room.pages]
    os.kill(worker, signal.SIGSTOP)
    try:
        await room.moved(connects)
        await room.hears(0, 1)
        await asyncio.sleep(seconds)
        size = stored_of(both, epoch)
    finally:
        os.kill(worker, signal.SIGCONT)
    await until(lambda: host.labelled("hyeopjin_worker_fence_shuts") >= 1, "it woke up fenced", 30)
    await until(lambda: host.labelled("hyeopjin_worker_rooms") == 0, "what it had lost is closed in it", 30)
    assert host.labelled("hyeopjin_worker_fenced_datagrams") > 0
    # The end mark of each of its files, and not one packet.
    assert stored_of(both, epoch) - size < 4_000
    await room.hears(0, 1, seconds=5)
    assert {page.connection.split(".")[1] for page in room.pages} == {str(epoch + 1)}


async def kill_an_instance(both: Pair, room: Talk) -> None:
    """Its page comes to the other one, as a proxy would lead it; rooms and duties move too."""
    assert both.one.metric("hyeopjin_keeper") == 1
    assert both.other.metric("hyeopjin_keeper") == 0
    both.one.kill()
    room.pages[0].demo = both.other
    connects = [len(page.connects) for page in room.pages]
    took = await until(lambda: len(room.pages[0].connects) > connects[0], "its media is back", 30)
    took += await room.hears(0, 1)
    assert took < FAILOVER_S * SLOW
    await until(lambda: both.other.metric("hyeopjin_keeper") == 1, "the other one keeps house now")
    assert sum(bool(person["present"]) for person in room.room["participants"]) == 2


@pytest.mark.long
async def test_twenty_seconds_of_sleep_three_times(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        async with talk(both) as room:
            for _ in range(3):
                await stop_the_worker(both, room, seconds=12)
                for one in both.instances:
                    await until(lambda one=one: one.metric("hyeopjin_cluster_workers") == 2, "back")


@pytest.mark.long
async def test_an_instance_that_was_stopped_finds_its_people_moved_on_and_they_come_back(
    tmp_path: Path,
) -> None:
    with pair(tmp_path) as both:
        async with talk(both) as room:
            os.kill(both.one.pid, signal.SIGSTOP)
            try:
                await until(lambda: both.other.metric("hyeopjin_cluster_workers") == 1, "missed", 30)
                await until(lambda: room.person(0)["away"] or not room.person(0)["present"], "away", 30)
            finally:
                os.kill(both.one.pid, signal.SIGCONT)
            await until(lambda: both.one.metric("hyeopjin_cluster_workers") == 2, "its worker is back", 30)
            await until(lambda: not room.person(0)["away"] and room.person(0)["present"], "seated again", 30)
            await room.hears(0, 1)
            assert sum(bool(person["present"]) for person in room.room["participants"]) == 2


@pytest.mark.long
async def test_a_redis_that_swallows_everything_holds_nobody_up(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        async with talk(both) as room:
            connections = [page.connection for page in room.pages]
            both.redis.hold()
            await until(lambda: both.one.metric("hyeopjin_redis_up") == 0, "noticed", 20)
            for _ in range(5):
                await room.hears(0, 1, seconds=5)
                await asyncio.sleep(2)
            both.redis.let_go()
            await until(lambda: all(one.ready()["ready"] for one in both.instances), "ready again", 30)
            await room.hears(0, 1, seconds=5)
            assert [page.connection for page in room.pages] == connections
            both.redis.kill()
            for one in both.instances:  # and nothing of an instance waits for a Redis that is gone
                await asyncio.to_thread(one.stop)


@pytest.mark.long
async def test_the_books_may_be_in_postgresql(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await postgres.database()
    monkeypatch.setenv("HYEOPJIN_DATABASE_URL", url)  # for the command line as well
    with pair(tmp_path) as both:
        assert not (both.one.data / "hyeopjin.sqlite3").exists()
        async with talk(both) as room:
            await kill_an_instance(both, room)
            for page in room.pages:
                await page.leave()
        await finished(both.other, epochs=int(room.pages[1].connection.split(".")[1]))
