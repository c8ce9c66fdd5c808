"""A finished recording has no room: it waits, says so, publishes nothing by halves, and goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.generation import Generation
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.storage.recordings import RecordingRow
from tests.support.faulty_disk import Fault, Faults, FaultyDisk, fault
from tests.support.journals import RECORDING, SEATS, Books, make_books, people, record


class Full:
    """A queue whose finaliser, and whose own publishing, stand on a disk that does as told."""

    async def open(self, data: Path) -> Full:
        self.data = data
        self.faults = Faults(data)
        self.keys = KeyStore.open(data)
        self.objects = Objects(data / "objects", FaultyDisk(self.faults.control))
        self.books: Books = await make_books(data, 1)
        options = FinalisingOptions(
            data / "journal", 0.0, self.faults.finaliser(), room_retry_s=0.2, floor_bytes=1000
        )
        self.queue = Finalising(self.books.rows, self.keys, self.objects, options)
        await record(data, self.keys, people(1), seconds=3)
        return self

    async def row(self) -> RecordingRow:
        row = await self.books.rows.get(RECORDING)
        assert row is not None
        return row

    async def until(self, waits_for: str | None, state: str) -> RecordingRow:
        async with asyncio.timeout(60):
            while ((row := await self.row()).waits_for, row.state) != (waits_for, state):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return row

    def published(self) -> list[str]:
        folder = self.data / "objects" / "recordings"
        return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Full]:
    made = await Full().open(tmp_path)
    yield made
    await made.queue.stop()
    await made.books.database.close()


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (fault("in_write_at", "*.webm.sealed.tmp", error="ENOSPC", skip=1), "no_space"),
        (fault("before_sync", "*index*", error="ENOSPC"), "no_space"),
        (fault("before_create", "*manifest*", error="EROFS"), "read_only"),
        (fault("before_link", "*/manifest.json", error="ENOSPC"), "no_space"),
        (None, "no_space"),  # there is no room to begin with
    ],
)
async def test_it_waits_for_room_and_goes_on_by_itself(full: Full, what: Fault | None, code: str) -> None:
    full.faults.set(*([what] if what else []), free=None if what else 1500)
    await full.queue.start()
    row = await full.until("space", "finalising")
    assert row.error_code == code
    seen = len(full.faults.log())
    async with asyncio.timeout(60):
        while what is not None and len(full.faults.log()) <= seen + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await full.row()).waits_for == "space", "the page goes on saying why"
    assert full.published() == []
    full.faults.set()
    row = await full.until(None, "ready")
    assert row.error_code is None
    generation = await Generation.open(full.objects, full.keys, RECORDING, row.generation)
    await generation.verify()
    assert set(generation.tracks) == {f"{SEATS[0]}-audio", f"{SEATS[0]}-camera"}
    assert not list((full.data / "objects" / ".scratch").glob("*")), "nothing of it is left"
