"""Finalising with the real finaliser, on journals that the real recorder wrote."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest

from server.runtime.bucket import Bucket
from server.runtime.finaliser_child import FinaliserChild
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.generation import Generation, GenerationError
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.storage.recordings import RecordingRow
from tests.support.journals import (
    CONSULTATION,
    RECORDING,
    SEATS,
    STARTED_MS,
    Wandering,
    add_session,
    make_books,
    people,
    record,
    tear,
)
from tests.support.recorded import mean_colour


class Rig:
    """Everything around the queue, in one data directory."""

    async def open(self, data: Path, epoch: int = 1, remote: Bucket | None = None) -> Rig:
        self.data = data
        self.keys = KeyStore.open(data)
        self.objects = Objects(data / "objects", remote=remote)
        self.books = await make_books(data, epoch)
        self.inside: set[str] = set()
        self.queue = self.fresh_queue()
        return self

    def fresh_queue(self, grace_s: float = 0.0, **more: Any) -> Finalising:
        return Finalising(
            self.books.rows,
            self.keys,
            self.objects,
            FinalisingOptions(self.data / "journal", grace_s, store_retry_s=0.2),
            occupied=self.inside.__contains__,
            **more,
        )

    async def row(self, recording: str = RECORDING) -> RecordingRow:
        row = await self.books.rows.get(recording)
        assert row is not None
        return row

    async def finalise(self) -> RecordingRow:
        """From start to idle, the way a restarted server does it."""
        await self.queue.start()
        async with asyncio.timeout(60):
            await self.queue.idle()
        return await self.row()

    async def generation(self) -> Generation:
        return await Generation.open(self.objects, self.keys, RECORDING, (await self.row()).generation)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = await Rig().open(tmp_path)
    yield made
    await made.queue.stop()
    await made.books.database.close()


async def plaintext(generation: Generation, track: str) -> bytes:
    reader = await generation.track(track)
    return b"".join([chunk async for chunk in reader.chunks(0, reader.size)])


async def test_a_journal_becomes_a_verified_generation_that_plays(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2))
    row = await rig.finalise()
    assert (row.state, row.generation, row.epochs_finalised, row.unfinished) == ("ready", 1, 1, False)
    assert row.index is not None
    assert row.index["chain"] == "intact"
    assert row.duration_ms is not None
    assert 3500 < row.duration_ms < 6000
    generation = await rig.generation()
    assert set(generation.tracks) == {f"{seat}-{kind}" for seat in SEATS[:2] for kind in ("audio", "camera")}
    await generation.verify()
    for person in people(2):
        content = await plaintext(generation, f"{person.peer}-camera")
        with av.open(io.BytesIO(content)) as container:
            frames = list(container.decode(video=0))
        assert len(frames) > 60
        for found, wanted in zip(mean_colour(frames[-1]), person.colour, strict=True):
            assert abs(found - wanted) < 12


async def test_nothing_but_the_manifest_is_readable_and_no_scratch_is_left(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    await rig.finalise()
    files = [path for path in (rig.data / "objects").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        "manifest.json",
        "index.json.sealed",
        f"{SEATS[0]}-audio.webm.sealed",
        f"{SEATS[0]}-camera.webm.sealed",
    }
    for path in files:
        assert b"\x1aE\xdf\xa3" not in path.read_bytes()[:4096], "an EBML head would be a plain WebM"
        assert path.stat().st_mode & 0o077 == 0
    assert not list((rig.data / "objects" / ".scratch").glob("*"))


async def test_a_torn_journal_is_finalised_from_what_is_whole(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2), seconds=5)
    tear(rig.data)
    row = await rig.finalise()
    assert row.state == "ready"
    assert row.index is not None
    assert row.index["chain"] == "intact", "what a crash tears was never acknowledged"
    assert len(row.index["tracks"]) == 4
    assert row.duration_ms is not None
    assert row.duration_ms > 2500


async def test_people_who_return_get_everything_in_a_new_generation_and_the_old_one_goes(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    await rig.finalise()
    async with rig.books.database.write() as tx:
        from server.storage import sessions

        assert await sessions.grant_epoch(tx, RECORDING, STARTED_MS) == 2
    await record(rig.data, rig.keys, people(2), epoch=2, begin_s=20)
    assert (await rig.row()).unfinished
    await rig.queue.room_emptied(CONSULTATION, RECORDING)
    await rig.queue.idle()
    row = await rig.row()
    assert (row.generation, row.epochs_finalised) == (2, 2)
    assert row.duration_ms is not None
    assert row.duration_ms > 23_000
    assert rig.objects.generations(RECORDING) == [2]
    generation = await rig.generation()
    assert len(generation.tracks) == 4
    with pytest.raises(GenerationError, match="object_missing"):
        await Generation.open(rig.objects, rig.keys, RECORDING, 1)


async def child_of(queue: Finalising) -> FinaliserChild:
    async with asyncio.timeout(20):
        while queue._child is None or queue._child.pid is None:  # noqa: ASYNC110 - a test looks from outside
            await asyncio.sleep(0.005)
    return queue._child


async def test_a_killed_child_is_started_again_from_the_segments(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2))
    await rig.queue.start()
    child = await child_of(rig.queue)
    os.kill(child.pid or 0, signal.SIGKILL)
    await rig.queue.idle()
    row = await rig.row()
    assert (row.state, row.generation) == ("ready", 1)
    await (await rig.generation()).verify()


async def test_after_three_kills_it_says_failed_and_the_next_start_tries_again(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    await rig.queue.start()
    seen: set[int | None] = set()
    while len(seen) < 3:
        child = await child_of(rig.queue)
        if child.pid not in seen:
            seen.add(child.pid)
            os.kill(child.pid or 0, signal.SIGKILL)
        await asyncio.sleep(0.02)
    await rig.queue.idle()
    row = await rig.row()
    assert (row.state, row.error_code, row.generation) == ("failed", "finaliser_killed", 0)
    await rig.queue.stop()
    rig.queue = rig.fresh_queue()
    assert (await rig.finalise()).state == "ready"


async def test_people_coming_back_end_the_child_and_their_leaving_brings_it_back(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2))
    await rig.queue.start()
    child = await child_of(rig.queue)
    rig.queue.returned(RECORDING)
    await rig.queue.idle()
    assert child.returncode == -signal.SIGKILL
    assert (await rig.row()).state == "recording"
    assert rig.objects.generations(RECORDING) == []
    await rig.queue.room_emptied(CONSULTATION, RECORDING)
    await rig.queue.idle()
    assert (await rig.row()).state == "ready"


async def test_at_start_somebody_who_has_returned_is_not_disturbed(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    rig.inside.add(CONSULTATION)
    row = await rig.finalise()
    assert (row.state, row.generation) == ("recording", 0)


async def test_once_the_room_is_said_to_be_empty_nobody_is_asked_again(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    rig.inside.add(CONSULTATION)  # as when the chair has ended it and the last pages are still closing
    await rig.finalise()
    await rig.queue.room_emptied(CONSULTATION, RECORDING)
    await rig.queue.idle()
    assert (await rig.row()).state == "ready"


async def test_the_grace_at_start_is_kept(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    rig.queue = rig.fresh_queue(grace_s=60.0)
    await rig.queue.start()
    await asyncio.sleep(0.4)
    assert ((await rig.row()).state, rig.queue.waiting) == ("recording", 1)
    rig.queue.returned(RECORDING)
    assert rig.queue.waiting == 0


async def test_a_stopped_server_kills_the_child_and_leaves_no_scratch_at_its_next_start(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2))
    await rig.queue.start()
    child = await child_of(rig.queue)
    await rig.queue.stop()
    assert child.returncode is not None
    rig.queue = rig.fresh_queue()
    row = await rig.finalise()
    assert (row.state, row.generation) == ("ready", 1)
    assert not list((rig.data / "objects" / ".scratch").glob("*"))


async def test_a_seat_whose_key_is_destroyed_is_left_out_and_the_others_stay(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2))
    rig.keys.destroy(RECORDING, SEATS[0])
    row = await rig.finalise()
    assert row.state == "ready"
    generation = await rig.generation()
    assert {track.seat for track in generation.tracks.values()} == {SEATS[1]}


async def test_destroying_a_key_shreds_the_finished_track_too(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2))
    await rig.finalise()
    rig.keys.destroy(RECORDING, SEATS[0])
    generation = await rig.generation()
    with pytest.raises(GenerationError, match="key_destroyed"):
        await generation.track(f"{SEATS[0]}-audio")
    assert await plaintext(generation, f"{SEATS[1]}-audio")


async def test_a_session_in_which_nothing_was_stored_fails_with_its_reason(rig: Rig) -> None:
    row = await rig.finalise()
    assert (row.state, row.error_code) == ("failed", "no_journal")


async def test_a_cut_that_the_database_had_been_told_of_is_called_by_its_name(rig: Rig) -> None:
    heads = await record(rig.data, rig.keys, people(1), seconds=5)
    await rig.books.rows.add_heads(RECORDING, 1, heads)
    segment = rig.data / "journal" / RECORDING / "1" / str(heads[SEATS[0]]["segment"])
    os.truncate(segment, segment.stat().st_size // 2)
    row = await rig.finalise()
    assert row.index is not None
    assert row.index["chain"] == "cut_after_ack"


async def test_a_flipped_byte_in_a_finished_track_is_noticed(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    await rig.finalise()
    path = next((rig.data / "objects").rglob("*-camera.webm.sealed"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(GenerationError, match="sealed_damaged"):
        await (await rig.generation()).verify()


async def test_a_generation_left_by_a_crash_is_never_overwritten(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(1))
    stray = rig.data / "objects" / "recordings" / RECORDING / "g1"
    stray.mkdir(parents=True)
    (stray / "manifest.json").write_text("stray")
    row = await rig.finalise()
    assert row.generation == 2
    assert rig.objects.generations(RECORDING) == [2]


async def test_two_recordings_are_done_one_after_the_other(rig: Rig) -> None:
    other = "rec_synthetic-0002"
    async with rig.books.database.write() as tx:
        await add_session(tx, other, 1)
    await record(rig.data, rig.keys, people(1), seconds=2)
    await record(rig.data, rig.keys, people(1), seconds=2, recording=other)
    await rig.finalise()
    assert [(await rig.row(each)).state for each in (RECORDING, other)] == ["ready", "ready"]


async def test_a_track_out_of_step_is_counted_and_stays_in_the_index(rig: Rig) -> None:
    await record(rig.data, rig.keys, people(2, Wandering)[:1], seconds=40)
    row = await rig.finalise()
    assert row.index is not None
    errors = {track["id"]: track["sync_error_ms"] for track in row.index["tracks"]}
    assert errors[f"{SEATS[0]}-audio"] > 80
    assert errors[f"{SEATS[0]}-camera"] <= 80
    assert rig.queue.out_of_step == 1
