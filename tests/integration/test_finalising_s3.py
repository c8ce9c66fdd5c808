"""Generations in a real S3 API server: published, read back, committed, played; and what a fault costs."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.runtime.bucket import ObjectError
from server.runtime.finaliser_child import FinaliserChild
from server.runtime.generation import Generation
from tests.integration.playback_rig import PlaybackRig
from tests.integration.test_finalising import Rig
from tests.support.journals import RECORDING, SEATS, STARTED_MS, people, record
from tests.support.s3 import BUCKET, S3Server

PATH = f"/api/recordings/{RECORDING}"


@pytest.fixture
def prefix() -> str:
    return f"run/{secrets.token_hex(4)}"


@pytest.fixture
async def rig(tmp_path: Path, s3: S3Server, prefix: str) -> AsyncIterator[Rig]:
    made = await Rig().open(tmp_path, remote=s3.bucket(prefix))
    yield made
    await made.queue.stop()
    await made.books.database.close()


async def until(rig: Rig, state: str, code: str | None) -> None:
    async with asyncio.timeout(30):
        while True:
            row = await rig.row()
            if (row.state, row.error_code) == (state, code):
                return
            await asyncio.sleep(0.02)


async def test_a_generation_lies_in_the_store_alone_and_is_read_back_from_there(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2))
    row = await rig.finalise()
    assert (row.state, row.generation, row.error_code) == ("ready", 1, None)
    assert rig.objects.names(RECORDING, 1) == sorted(
        [".claim", "index.json.sealed", "manifest.json"]
        + [f"{seat}-{kind}.webm.sealed" for seat in SEATS[:2] for kind in ("audio", "camera")]
    )
    here = [path for path in (rig.data / "objects").rglob("*") if path.is_file()]
    assert here == [], "neither scratch nor outbox keeps a copy of what is committed"
    await (await rig.generation()).verify()


async def test_a_store_that_goes_away_delays_the_end_and_nothing_is_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = S3Server()
    runs = 0
    run = FinaliserChild.run

    async def and_away(self: FinaliserChild, job: bytes) -> dict[str, object]:
        nonlocal runs
        runs += 1
        result = await run(self, job)
        await asyncio.to_thread(server.stop)
        return result

    monkeypatch.setattr(FinaliserChild, "run", and_away)
    await asyncio.to_thread(server.start)
    rig = await Rig().open(tmp_path, remote=server.bucket())
    try:
        await record(rig.data, rig.keys, people(1))
        await rig.queue.start()
        await until(rig, "finalising", "store_unreachable")
        assert (await rig.row()).generation == 0, "what the store did not confirm is not in the books"
        await rig.queue.stop()
        assert [parcel.generation for parcel in rig.objects.waiting(RECORDING)] == [1]
        await asyncio.to_thread(server.start)
        rig.queue = rig.fresh_queue()
        row = await rig.finalise()
        assert (row.state, row.generation, row.error_code, runs) == ("ready", 1, None, 1)
        assert rig.objects.waiting(RECORDING) == []
        await (await rig.generation()).verify()
    finally:
        await rig.queue.stop()
        await rig.books.database.close()
        await asyncio.to_thread(server.stop)


async def test_a_store_that_gives_back_other_bytes_is_found_before_the_books_hear_of_it(
    rig: Rig, s3: S3Server, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One byte of the first generation's picture is altered in the store, behind our back."""
    opened = Generation.open.__func__  # type: ignore[attr-defined]
    altered: list[int] = []

    async def alter(cls: type, objects: object, keys: object, recording: str, number: int) -> Generation:
        if not altered:
            altered.append(number)
            path = f"/{BUCKET}/{prefix}/recordings/{recording}/g{number}/{SEATS[0]}-camera.webm.sealed"
            bucket = s3.bucket(prefix)
            name = path.removeprefix(f"/{BUCKET}/{prefix}/")
            size = await bucket.size(name)
            assert size
            content = bytearray(await bucket.read(name, 0, size))
            content[size // 2] ^= 1
            assert (await asyncio.to_thread(s3.ask, "PUT", path, bytes(content)))[0] == 200
        generation: Generation = await opened(cls, objects, keys, recording, number)
        return generation

    monkeypatch.setattr(Generation, "open", classmethod(alter))
    await record(rig.data, rig.keys, people(1))
    row = await rig.finalise()
    assert (altered, row.state, row.generation) == ([1], "ready", 1)
    assert rig.objects.generations(RECORDING) == [1], "the altered one was removed, and made again"
    await (await rig.generation()).verify()


async def test_return_and_a_second_generation_leave_one_in_the_store(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    await rig.finalise()
    async with rig.books.database.write() as tx:
        from server.storage import sessions

        assert await sessions.grant_epoch(tx, RECORDING, STARTED_MS) == 2
    await record(rig.data, rig.keys, people(2), epoch=2, begin_s=20)
    await rig.queue.room_emptied("", RECORDING)
    await rig.queue.idle()
    assert (await rig.row()).generation == 2
    assert rig.objects.generations(RECORDING) == [2]
    with pytest.raises(ObjectError, match="object_missing"):
        await rig.objects.open(RECORDING, 1, "manifest.json")


async def test_any_range_of_a_track_plays_from_the_store(tmp_path: Path, s3: S3Server, prefix: str) -> None:
    rig = await PlaybackRig().open(tmp_path, remote=s3.bucket(prefix))
    try:
        track = f"{SEATS[0]}-camera"
        whole = await rig.plaintext(track)
        size = len(whole)
        assert size > 300_000
        random_ = random.Random(5)
        ranges = [(0, 0), (0, size - 1), (65_479, 65_480), (size - 1, size - 1)]
        ranges += [tuple(sorted(random_.sample(range(size), 2))) for _ in range(25)]  # type: ignore[misc]
        reviewer = await rig.profile("acc-reviewer", ("reviewer",), "follows")
        async with rig.browser(reviewer) as browser:
            for first, last in ranges:
                asked = {"Range": f"bytes={first}-{last}"}
                async with browser.get(f"{PATH}/tracks/{track}", headers=asked) as response:
                    assert response.status == 206
                    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
                    assert await response.read() == whole[first : last + 1]
    finally:
        await rig.close()
