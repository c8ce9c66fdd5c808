"""Segments are copied to a real S3 API server while people talk, and come back when the machine is gone."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from media.clock import SystemClock
from media.recorder import RoomRecorder
from media.recordstore.store import StoreWriter
from server.__main__ import build
from server.runtime.bucket import Bucket, ObjectError, S3Options
from server.runtime.journal_restore import JournalRestore, Restored
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.runtime.segment_copier import SegmentCopier, digest_of, object_path, segments_here
from server.storage.database import Database
from server.storage.journals import Journals
from server.storage.recordings import Recordings
from tests.integration.test_finalising import Rig
from tests.support.journals import RECORDING, SEATS, Books, people, record
from tests.support.recorded import NS, rtp
from tests.support.s3 import BUCKET, S3Server, SlowLine


@pytest.fixture
def prefix() -> str:
    return f"run/{secrets.token_hex(4)}"


class Copying:
    """A data directory with a recording, and a copier that a test drives itself."""

    def __init__(self, rig: Rig, bucket: Bucket) -> None:
        self.rig, self.bucket = rig, bucket
        self.root = rig.data / "journal"
        self.journals = Journals(rig.books.database)
        self.copier = self.fresh()

    def fresh(self) -> SegmentCopier:
        return SegmentCopier(self.journals, self.bucket, self.root)

    async def copied(self) -> set[str]:
        return {f"{copy.epoch}/{copy.segment}" for copy in await self.journals.copies(RECORDING)}

    def here(self) -> set[str]:
        return {f"{found.epoch}/{found.path.name}" for found in segments_here(self.root, RECORDING)}

    def restore(self) -> JournalRestore:
        return JournalRestore(self.rig.books.rows, self.journals, self.bucket, self.root)


@pytest.fixture
async def copying(tmp_path: Path, s3: S3Server, prefix: str) -> AsyncIterator[Copying]:
    bucket = s3.bucket(prefix)
    rig = await Rig().open(tmp_path, remote=bucket)
    yield Copying(rig, bucket)
    await rig.queue.stop()
    await rig.books.database.close()


async def test_what_has_ended_is_copied_and_read_back_and_what_is_written_to_is_left(
    copying: Copying,
) -> None:
    await record(copying.rig.data, copying.rig.keys, people(2), seconds=5, roll_after_s=1.0, end=False)
    newest = {
        max(name for name in copying.here() if name.startswith(f"1/{seat}.")) for seat in (*SEATS[:2], "room")
    }
    await copying.copier.copy_all()
    assert await copying.copied() == copying.here() - newest
    for copy in await copying.journals.copies(RECORDING):
        there = await copying.bucket.digest(object_path(RECORDING, 1, copy.segment))
        assert there == (copy.size, copy.sha256)
        assert there == digest_of(copying.root / RECORDING / "1" / copy.segment)
    numbers = await copying.copier.numbers()
    assert numbers["hyeopjin_journal_copy_lag_seconds"] > 1
    await record(copying.rig.data, copying.rig.keys, people(1), seconds=1, epoch=2, begin_s=20)
    await copying.copier.copy_all()
    assert await copying.copied() == copying.here(), "a later epoch has fenced the torn ones"
    assert (await copying.copier.numbers())["hyeopjin_journal_copy_lag_seconds"] == 0
    await copying.copier.copy_all()  # nothing to do, nothing amiss


async def test_a_copier_that_was_killed_after_the_put_finds_its_own_bytes_and_goes_on(
    copying: Copying,
) -> None:
    await record(copying.rig.data, copying.rig.keys, people(1), seconds=2)
    first, second, *_ = segments_here(copying.root, RECORDING)
    await copying.bucket.put_new(object_path(RECORDING, 1, first.path.name), first.path)
    torn = second.path.read_bytes()[:200]
    await copying.bucket.put_new(object_path(RECORDING, 1, second.path.name), torn)
    await copying.copier.copy_all()
    assert await copying.copied() == copying.here()
    path = object_path(RECORDING, 1, second.path.name)
    assert await copying.bucket.digest(path) == digest_of(second.path), "the beginning was put anew, whole"


async def test_other_bytes_under_a_segments_name_are_never_taken_for_it_nor_written_over(
    copying: Copying,
) -> None:
    await record(copying.rig.data, copying.rig.keys, people(1), seconds=2)
    first, *rest = segments_here(copying.root, RECORDING)
    path = object_path(RECORDING, 1, first.path.name)
    await copying.bucket.put_new(path, b"somebody else's")
    await copying.copier.copy_all()
    assert await copying.copied() == {f"1/{found.path.name}" for found in rest}
    assert (await copying.copier.numbers())["hyeopjin_journal_copy_conflicts"] == 1
    assert await copying.bucket.read(path, 0, 15) == b"somebody else's"


async def test_an_unreachable_store_costs_nothing_but_a_growing_lag(tmp_path: Path) -> None:
    server = S3Server()
    rig = await Rig().open(tmp_path)
    try:
        await record(rig.data, rig.keys, people(1), seconds=2)
        copying = Copying(rig, server.bucket())
        with pytest.raises(ObjectError, match="store_unreachable"):
            await copying.copier.copy_all()
        lag = (await copying.copier.numbers())["hyeopjin_journal_copy_lag_seconds"]
        assert lag > 0
        await asyncio.to_thread(server.start)
        await copying.copier.copy_all()
        assert (await copying.copier.numbers())["hyeopjin_journal_copy_lag_seconds"] == 0
        assert await copying.copied() == copying.here()
    finally:
        await asyncio.to_thread(server.stop)
        await rig.queue.stop()
        await rig.books.database.close()


async def test_a_lost_journal_comes_back_whole_and_is_finalised(copying: Copying) -> None:
    heads = await record(copying.rig.data, copying.rig.keys, people(2), seconds=5, roll_after_s=1.0)
    await copying.rig.books.rows.add_heads(RECORDING, 1, heads)
    await copying.copier.copy_all()
    before = {path.name: path.read_bytes() for path in (copying.root / RECORDING / "1").iterdir()}
    shutil.rmtree(copying.root)
    copying.rig.queue = copying.rig.fresh_queue(restore=copying.restore().restore)
    row = await copying.rig.finalise()
    assert row.index is not None
    assert (row.state, row.index["chain"], row.index["gaps"]) == ("ready", "intact", [])
    after = {path.name: path.read_bytes() for path in (copying.root / RECORDING / "1").glob("*.seg")}
    assert after == before
    assert await copying.restore().restore(RECORDING) == Restored()


async def test_a_copy_that_was_altered_is_left_out_and_the_loss_is_named(copying: Copying) -> None:
    heads = await record(copying.rig.data, copying.rig.keys, people(1), seconds=5, roll_after_s=1.0)
    await copying.rig.books.rows.add_heads(RECORDING, 1, heads)
    await copying.copier.copy_all()
    name = f"{SEATS[0]}.0003.seg"
    path = object_path(RECORDING, 1, name)
    content = bytearray((copying.root / RECORDING / "1" / name).read_bytes())
    content[len(content) // 2] ^= 1
    await copying.bucket.delete(path)
    await copying.bucket.put_new(path, bytes(content))
    shutil.rmtree(copying.root)
    told = await copying.restore().restore(RECORDING)
    assert told.missing == (f"1/{name}",)
    assert not (copying.root / RECORDING / "1" / name).exists()
    copying.rig.queue = copying.rig.fresh_queue()
    row = await copying.rig.finalise()
    assert row.index is not None
    assert row.index["chain"] == "cut_after_ack"
    (audio,) = [track for track in row.index["tracks"] if track["kind"] == "audio"]
    (gap,) = audio["gaps"]
    assert gap["cause"] == "node_lost"
    assert 700 < gap["to"] - gap["from"] < 1600


# --- a node that dies with its disk -------------------------------------------------------------------------


async def node(data: str, database: str, port: str, prefix: str, roll_after_s: str) -> None:
    """The child: records, copies, tells heads, and prints what it has sent, until it is killed."""
    clock, keys = SystemClock(), KeyStore.open(Path(data))
    store = StoreWriter(clock, roll_after_s=float(roll_after_s))
    store.start()
    rows = Recordings(Database(database))
    journals = Journals(Database(database))
    options = S3Options(BUCKET, prefix, f"http://127.0.0.1:{port}", "us-east-1", "x", "y", allow_http=True)
    root = Path(data) / "journal"
    copier = SegmentCopier(journals, Bucket.s3(options), root)
    room_key = keys.seat_key(RECORDING, "room")
    recorder = RoomRecorder(root, RECORDING, 1, store, room_key, clock, lambda _peer, _kind: None)
    recorder.admit(SEATS[0], "grant-1", keys.seat_key(RECORDING, SEATS[0]))
    recorder.event(SEATS[0], "joined", clock.boottime_ns())
    await copier.start()
    silence = bytes.fromhex("78fffe")
    second, seq, told = clock.boottime_ns(), 0, 0
    while True:
        now = clock.boottime_ns()
        recorder.rtp(SEATS[0], "audio", "", rtp(111, seq, seq * 960, 5, silence), now)
        sys.stdout.write(f"{seq} {clock.wall_ns() // 1_000_000}\n")
        seq += 1
        if now - second >= NS:
            second, told = now, told + 1
            recorder.stored(now)
            if told % 3 == 0:
                await rows.add_heads(RECORDING, 1, recorder.heads())
            sys.stdout.flush()
        await asyncio.sleep(0.02)


async def lose_a_node(
    tmp_path: Path, s3: S3Server, prefix: str, roll_after_s: float, seconds: float
) -> tuple[Rig, float]:
    """Record on one node, kill it, delete its disk; finalise on another. The rig there, seconds lost."""
    old, new, books = tmp_path / "old", tmp_path / "new", tmp_path / "books"
    for path in (old, new, books):
        path.mkdir()
    first = await Rig().open(books)
    keys = KeyStore.open(old)
    keys.seat_key(RECORDING, "room"), keys.seat_key(RECORDING, SEATS[0])
    url = f"sqlite+aiosqlite:///{books / 'hyeopjin.sqlite3'}"
    started_ms = time.time_ns() // 1_000_000
    async with first.books.database.write() as tx:
        from sqlalchemy import update

        from server.storage.schema import sessions

        await tx.execute(update(sessions).values(started_ms=started_ms))
    async with SlowLine(s3, 50e6) as line:
        args = (str(old), url, str(line.port), prefix, str(roll_after_s))
        code = f"import asyncio; from {__name__} import node; asyncio.run(node(*{args!r}))"
        child = await asyncio.to_thread(
            subprocess.Popen, [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        await asyncio.to_thread(child.stdout.readline)
        reading = asyncio.create_task(asyncio.to_thread(child.stdout.read))
        await asyncio.sleep(seconds)
        os.kill(child.pid, signal.SIGKILL)
        killed_ms = time.time_ns() // 1_000_000
        last_sent, last_ms = map(int, (await reading).split("\n")[-2].split())
        await asyncio.to_thread(child.wait)
    child.stdout.close()
    assert last_sent > 100
    # What it did not even send, because other tests had the machine, is not lost; it tells once a second.
    killed_ms = min(killed_ms, last_ms + 1000)
    shutil.move(old / "keys", new / "keys")
    shutil.move(old / "secrets", new / "secrets")
    shutil.rmtree(old)
    await first.queue.stop()
    await first.books.database.close()
    rig = Rig()
    rig.data, rig.keys = new, KeyStore.open(new)
    database = Database(url)
    rig.books = Books(database, Recordings(database))
    rig.objects, rig.inside = Objects(new / "objects", remote=s3.bucket(prefix)), set()
    restore = JournalRestore(rig.books.rows, Journals(rig.books.database), s3.bucket(prefix), new / "journal")
    rig.queue = rig.fresh_queue(restore=restore.restore)
    row = await rig.finalise()
    assert row.index is not None
    assert row.state == "ready"
    (track,) = row.index["tracks"]
    stored_ms = track["offset_ms"] + track["duration_ms"]
    return rig, (killed_ms - started_ms - stored_ms) / 1000


def verify(rig: Rig, s3: S3Server, prefix: str) -> Result:
    """`hyeopjin recordings verify` with the settings of the new node."""
    config = rig.data / "hyeopjin.toml"
    config.write_text(
        f'data_dir = "{rig.data}"\ndatabase_url = "sqlite+aiosqlite:///{rig.data.parent}/books/hyeopjin.sqlite3"\n'
        f'[objects]\nbucket = "{BUCKET}"\nprefix = "{prefix}"\nendpoint = "{s3.endpoint}"\n'
    )
    env = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    arguments = ["recordings", "verify", RECORDING, "--config", str(config), "--json"]
    return CliRunner().invoke(build(), arguments, env=env)


@pytest.mark.parametrize(
    ("roll_after_s", "seconds", "most_s", "seed"),
    [(2.0, 9.0, 7.0, 1), *(pytest.param(10.0, 31.0, 15.0, n, marks=pytest.mark.long) for n in range(2, 5))],
)
async def test_a_node_lost_with_its_disk_costs_little_and_the_rest_is_named(
    tmp_path: Path, s3: S3Server, prefix: str, roll_after_s: float, seconds: float, most_s: float, seed: int
) -> None:
    seconds += random.Random(seed).random() * roll_after_s
    rig, lost_s = await lose_a_node(tmp_path, s3, prefix, roll_after_s, seconds)
    try:
        sys.stdout.write(f"node lost: roll {roll_after_s} s, seed {seed}: {lost_s:.1f} s\n")
        assert 0 < lost_s <= most_s
        row = await rig.row()
        assert row.index is not None
        # Whether the books were told of more than has come back is a matter of moments.
        chain = row.index["chain"]
        assert chain in ("intact", "cut_after_ack")
        (gap,) = row.index["gaps"]
        assert gap["cause"] == "node_lost"
        assert gap["from"] == pytest.approx(row.index["stored"][-1][1], abs=2)
        assert gap["to"] - gap["from"] >= lost_s * 1000 - 1500, "the name covers what is gone"
        shutil.rmtree(rig.data / "journal")  # verify fetches it back by itself
        result = await asyncio.to_thread(verify, rig, s3, prefix)
        told = json.loads(result.stdout)
        assert (result.exit_code, told["chain"]) == (int(chain != "intact"), chain)
        assert "node_lost" in {each["cause"] for each in told["gaps"]}
    finally:
        await rig.queue.stop()
        await rig.books.database.close()
