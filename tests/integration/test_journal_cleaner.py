"""A journal goes only when the policy lets it and what was made of it was read back; and then all of it."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from typer.testing import CliRunner

from server.__main__ import build
from server.config import ObjectStore, Settings
from server.runtime.bucket import Bucket, S3Options
from server.runtime.journal_cleaner import JournalCleaner
from server.runtime.journal_restore import JournalRestore, Restored
from server.runtime.segment_copier import SegmentCopier
from server.runtime.verifying import Verifier
from server.storage.database import Database
from server.storage.journals import Journals
from server.storage.recordings import Recordings
from server.storage.schema import holds, sessions
from server.storage.schema import recordings as recordings_table
from tests.integration.test_finalising import Rig
from tests.support.journals import CASE, RECORDING, people, record
from tests.support.s3 import BUCKET, S3Server

DAY_MS = 86_400_000


class Finished:
    """A finalised recording of an ended session, with copies of its journal in the store."""

    def __init__(self, rig: Rig, bucket: Bucket, settings: Settings) -> None:
        self.rig, self.bucket, self.settings = rig, bucket, settings
        self.journals = Journals(rig.books.database)
        self.journal = rig.data / "journal" / RECORDING

    def cleaner(self, keep_days: int | None = 30, later_days: float = 31) -> JournalCleaner:
        now_ms = time.time_ns() // 1_000_000 + int(later_days * DAY_MS)
        return JournalCleaner(
            self.rig.books.rows,
            self.journals,
            self.bucket,
            self.rig.data / "journal",
            Verifier(self.settings, self.rig.books.rows).report,
            keep_days,
            lambda: now_ms,
        )

    async def run(self, keep_days: int | None = 30, later_days: float = 31) -> str:
        return (await self.cleaner(keep_days, later_days).run())[RECORDING]

    async def verify(self) -> dict[str, Any]:
        cleaned = frozenset(await self.journals.cleaned())
        row = await self.rig.row()
        return await Verifier(self.settings, self.rig.books.rows, cleaned).report(row)

    async def change(self, table: Any, **values: object) -> None:
        async with self.rig.books.database.write() as tx:
            await tx.execute(update(table).values(**values))

    def whole(self) -> bool:
        return len(list(self.journal.rglob("*.seg"))) >= 6 and len(self.copies()) >= 6

    def copies(self) -> list[str]:
        return [entry.path for entry in self.bucket.listing(f"journal/{RECORDING}")]


@pytest.fixture
async def finished(tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Finished]:
    prefix = f"run/{secrets.token_hex(4)}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    store = ObjectStore(bucket=BUCKET, prefix=prefix, endpoint=s3.endpoint)
    rig = await Rig().open(tmp_path, remote=s3.bucket(prefix))
    made = Finished(rig, s3.bucket(prefix), Settings(data_dir=tmp_path, objects=store))
    heads = await record(tmp_path, rig.keys, people(1), seconds=4, roll_after_s=1.0)
    await rig.books.rows.add_heads(RECORDING, 1, heads)
    await SegmentCopier(made.journals, made.bucket, tmp_path / "journal").copy_all()
    await made.change(sessions, ended_ms=time.time_ns() // 1_000_000)
    await rig.finalise()
    assert made.whole()
    yield made
    await rig.queue.stop()
    await rig.books.database.close()


async def test_a_journal_goes_when_it_may_with_its_copies_and_the_recording_verifies_without(
    finished: Finished,
) -> None:
    before = await finished.verify()
    assert (before["chain"], before["checked"]["journal"]) == ("intact", True)
    assert await finished.run() == "cleaned"
    assert not finished.journal.exists()
    assert finished.copies() == []
    after = await finished.verify()
    assert (after["chain"], after["faults"], after["checked"]["journal"]) == ("intact", [], False)
    for name in ("stored", "gaps"):
        assert after[name] == before[name]
    assert after["checked"]["tracks"] == before["checked"]["tracks"] == 2
    assert await finished.cleaner().run() == {}, "a second time there is nothing to do"
    restore = JournalRestore(
        finished.rig.books.rows, finished.journals, finished.bucket, finished.rig.data / "journal"
    )
    assert await restore.restore(RECORDING) == Restored(), "what went on purpose does not come back"


async def test_nothing_goes_early(finished: Finished) -> None:
    assert await finished.run(keep_days=None) == "policy"
    assert await finished.run(keep_days=30, later_days=29.9) == "not_yet"
    await finished.change(sessions, ended_ms=None)
    assert await finished.run() == "session_open"
    await finished.change(sessions, ended_ms=1, epoch=2)
    assert await finished.run() == "not_finalised"
    await finished.change(sessions, epoch=1)
    for state in ("recording", "finalising", "failed"):
        await finished.change(recordings_table, state=state)
        assert await finished.run() == "not_finalised"
    await finished.change(recordings_table, state="ready")
    async with finished.rig.books.database.write() as tx:
        await tx.execute(
            insert(holds).values(id="hold-1", case_id=CASE, reason="dispute", set_by="acc-1", set_ms=1)
        )
    assert await finished.run() == "held"
    await finished.change(holds, lifted_ms=2)
    assert finished.whole()
    assert await finished.run() == "cleaned", "each of them alone had kept it"


async def test_the_command_says_why_each_stays_and_removes_only_when_told(finished: Finished) -> None:
    def command(*more: str, days: str) -> dict[str, str]:
        store = finished.settings.objects
        env = {
            "HYEOPJIN_JOURNAL_KEEP_DAYS": days,
            "HYEOPJIN_OBJECTS__BUCKET": store.bucket,
            "HYEOPJIN_OBJECTS__PREFIX": store.prefix,
            "HYEOPJIN_OBJECTS__ENDPOINT": store.endpoint,
        }
        arguments = ["recordings", "clean", "--json", "--data", str(finished.rig.data), *more]
        result = CliRunner().invoke(build(), arguments, env=env)
        assert result.exit_code == 0
        told: dict[str, str] = json.loads(result.stdout)
        return told

    assert await asyncio.to_thread(command, days="1") == {RECORDING: "not_yet"}
    assert await asyncio.to_thread(command, days="0") == {RECORDING: "may_go"}
    assert finished.whole()
    assert await asyncio.to_thread(command, "--now", days="0") == {RECORDING: "cleaned"}
    assert await asyncio.to_thread(command, days="0") == {RECORDING: "cleaned"}
    assert not finished.journal.exists()


async def test_a_track_that_is_not_what_was_signed_keeps_the_journal(finished: Finished) -> None:
    track = next(
        entry
        for entry in finished.bucket.listing(f"recordings/{RECORDING}/g1")
        if entry.path.endswith("-camera.webm.sealed")
    )
    content = bytearray(await finished.bucket.read(track.path, 0, track.size))
    content[len(content) // 2] ^= 1
    await finished.bucket.delete(track.path)
    await finished.bucket.put_new(track.path, bytes(content))
    assert await finished.run() == "verify_broken"
    await finished.bucket.delete(track.path)
    assert (await finished.run()).startswith("verify_")
    assert finished.whole()


async def test_a_journal_that_is_not_whole_itself_is_kept_as_evidence(finished: Finished) -> None:
    segment = max(finished.journal.rglob("*.seg"), key=lambda path: path.stat().st_size)
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    assert await finished.run() == "verify_broken"
    assert finished.whole()


async def test_a_hold_that_is_set_while_the_journal_is_verified_keeps_it(finished: Finished) -> None:
    verify = finished.cleaner()._report

    async def and_hold(row: Any) -> dict[str, Any]:
        report = await verify(row)
        async with finished.rig.books.database.write() as tx:
            await tx.execute(
                insert(holds).values(id="hold-1", case_id=CASE, reason="dispute", set_by="acc-1", set_ms=1)
            )
        return report

    cleaner = finished.cleaner()
    cleaner._report = and_hold
    assert await cleaner.run() == {RECORDING: "changed_meanwhile"}
    assert finished.whole()


async def clean(data: str, port: str, prefix: str) -> None:
    """The child that is killed."""
    database = Database(f"sqlite+aiosqlite:///{data}/hyeopjin.sqlite3")
    endpoint = f"http://127.0.0.1:{port}"
    options = S3Options(BUCKET, prefix, endpoint, "us-east-1", "x", "y", allow_http=True)
    rows, root = Recordings(database), Path(data) / "journal"
    settings = Settings(
        data_dir=Path(data), objects=ObjectStore(bucket=BUCKET, prefix=prefix, endpoint=endpoint)
    )
    report = Verifier(settings, rows).report
    later = time.time_ns() // 1_000_000 + 31 * DAY_MS
    cleaner = JournalCleaner(rows, Journals(database), Bucket.s3(options), root, report, 30, lambda: later)
    await cleaner.run()


@pytest.mark.parametrize("left", [5, 1, *(pytest.param(n, marks=pytest.mark.long) for n in (7, 6, 4, 3, 2))])
async def test_a_cleaner_killed_half_way_is_finished_by_the_next_and_no_half_journal_is_judged(
    finished: Finished, s3: S3Server, left: int
) -> None:
    """Killed when so many of the copies are left in the store."""
    args = (str(finished.rig.data), str(s3.port), finished.settings.objects.prefix)
    code = f"import asyncio; from {__name__} import clean; asyncio.run(clean(*{args!r}))"
    child = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", code])
    async with asyncio.timeout(60):
        while child.poll() is None:
            if len(await asyncio.to_thread(finished.copies)) <= left:
                break
    child.kill()
    await asyncio.to_thread(child.wait)
    report = await finished.verify()
    assert (report["chain"], report["faults"]) == ("intact", [])
    await finished.cleaner().run()
    assert not finished.journal.exists()
    assert finished.copies() == []
    report = await finished.verify()
    assert (report["chain"], report["faults"]) == ("intact", [])
