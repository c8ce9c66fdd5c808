"""`recordings verify` holds the journal's copies in a real S3 API server against what is here."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from server.config import ObjectStore, Settings
from server.runtime.bucket import Bucket
from server.runtime.copies import LAG_S, check_copies
from server.runtime.object_stores import ID_FILE, SECRET_FILE
from server.runtime.segment_copier import SegmentCopier, object_path, segments_here
from server.runtime.verifying import Verifier
from server.storage.journals import Journals
from tests.integration.test_finalising import Rig
from tests.support.damage import flip
from tests.support.journals import RECORDING, people, record
from tests.support.s3 import BUCKET, S3Server


async def found(data: Path, bucket: Bucket, journals: Journals, deep: bool = False) -> list[str]:
    noted = await journals.copies(RECORDING)
    copies = await check_copies(bucket, data / "journal", RECORDING, noted, deep)
    return [
        f"{fault['where'].rsplit('/', 1)[1]}: {fault['what']} = {fault['name']}" for fault in copies.faults
    ]


def age(data: Path) -> None:
    """As if all segments had been closed a while ago."""
    for segment in segments_here(data / "journal", RECORDING):
        os.utime(segment.path, (time.time() - LAG_S - 1,) * 2)


async def test_missing_and_changed_copies_are_named_and_contents_are_read_only_when_asked(
    tmp_path: Path, s3: S3Server
) -> None:
    bucket = s3.bucket("verify/copies")
    rig = await Rig().open(tmp_path, remote=bucket)
    journals = Journals(rig.books.database)
    await record(rig.data, rig.keys, people(1), seconds=2, roll_after_s=1.0)
    segments = [segment.path for segment in segments_here(tmp_path / "journal", RECORDING)]
    assert await found(tmp_path, bucket, journals) == [], (
        "what was closed just now may still wait for its copy"
    )
    age(tmp_path)
    assert await found(tmp_path, bucket, journals) == [f"{p.name}: object = copy_missing" for p in segments]
    await SegmentCopier(journals, bucket, tmp_path / "journal").copy_all()
    assert await found(tmp_path, bucket, journals, deep=True) == []
    checked = (await report(tmp_path, rig, s3, journals, deep=True))["checked"]
    assert checked["copies"] == {"segments": len(segments), "read": len(segments)}

    first, second, third, *_ = segments
    await bucket.delete(object_path(RECORDING, 1, first.name))
    for path, change in ((second, b"shorter"), (third, bytes(third.stat().st_size))):
        await bucket.delete(object_path(RECORDING, 1, path.name))
        await bucket.put_new(object_path(RECORDING, 1, path.name), change)
    shallow = [f"{first.name}: object = copy_missing", f"{second.name}: size = copy_differs"]
    assert sorted(await found(tmp_path, bucket, journals)) == sorted(shallow)
    content = f"{third.name}: content = copy_differs"
    assert sorted(await found(tmp_path, bucket, journals, deep=True)) == sorted([*shallow, content])
    told = await report(tmp_path, rig, s3, journals, deep=False)
    assert told["chain"] == "intact", "what is here is whole"
    assert {fault["verdict"] for fault in told["faults"]} == {"copy"}

    last = segments[-1]
    flip(last, last.stat().st_size - 1)
    age(tmp_path)
    assert f"{last.name}: file = copy_differs" in await found(tmp_path, bucket, journals)
    await rig.queue.stop()
    await rig.books.database.close()


async def report(data: Path, rig: Rig, s3: S3Server, journals: Journals, deep: bool) -> dict[str, Any]:
    for name in (ID_FILE, SECRET_FILE):
        (data / "secrets" / name).write_text("synthetic")
    store = ObjectStore(bucket=BUCKET, prefix="verify/copies", endpoint=s3.endpoint)
    settings = Settings(data_dir=data, objects=store)
    row = await rig.row()
    return await Verifier(settings, rig.books.rows, journals=journals, deep=deep).report(row)


async def test_a_store_that_is_away_is_said_and_does_not_stop_the_verification(tmp_path: Path) -> None:
    rig = await Rig().open(tmp_path)
    await record(rig.data, rig.keys, people(1), seconds=1)
    age(tmp_path)
    journals = Journals(rig.books.database)
    copies = await check_copies(S3Server().bucket(), tmp_path / "journal", RECORDING, [], False)
    assert [fault["name"] for fault in copies.faults] == ["store_unreachable"]
    assert await journals.copies(RECORDING) == []
    await asyncio.to_thread(age, tmp_path)
    await rig.queue.stop()
    await rig.books.database.close()
