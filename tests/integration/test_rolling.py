"""Files that roll every few seconds: the same recording, packet for packet, in more pieces."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from media.clock import SystemClock
from media.recorder import RoomRecorder
from media.recordstore import layout
from media.recordstore.index import Journal
from media.recordstore.store import StoreWriter
from media.recordstore.verify import AcknowledgedHead, verify_journal
from server.runtime.keystore import KeyStore
from tests.integration.test_finalising import Rig
from tests.support.journals import RECORDING, SEATS, people, record
from tests.support.recorded import NS, rtp

PEER, KEY, ROOM_KEY = "seat-synthetic-0001", b"k" * 32, b"r" * 32


async def test_a_rolled_recording_is_finalised_into_the_very_same_tracks(tmp_path: Path) -> None:
    made: dict[float, dict[str, str]] = {}
    for roll_after_s in (0.0, 1.0):
        data = tmp_path / str(roll_after_s)
        data.mkdir()
        rig = await Rig().open(data)
        try:
            heads = await record(data, rig.keys, people(2), seconds=7, roll_after_s=roll_after_s)
            await rig.books.rows.add_heads(RECORDING, 1, heads)
            row = await rig.finalise()
            assert row.index is not None
            assert row.index["chain"] == "intact"
            assert row.index["gaps"] == []
            assert [track["gaps"] for track in row.index["tracks"]] == [[], [], [], []]
            made[roll_after_s] = {track["id"]: track["sha256"] for track in row.index["tracks"]}
            files = layout.segments_of(data / "journal", RECORDING, 1)
            assert len(files) == 3 if not roll_after_s else len(files) >= 3 * 5
        finally:
            await rig.queue.stop()
            await rig.books.database.close()
    assert made[0.0] == made[1.0], "no sample more, none less, none elsewhere"


async def test_each_file_ends_with_its_mark_is_witnessed_and_no_packet_is_lost_or_twice_at_a_seam(
    tmp_path: Path,
) -> None:
    keys = KeyStore.open(tmp_path)
    heads = await record(tmp_path, keys, people(1), seconds=7, roll_after_s=1.0)
    seat_keys = keys.keys(RECORDING)
    room_key = seat_keys.pop("room")
    with Journal(tmp_path / "journal", RECORDING, [1], seat_keys, room_key) as journal:
        survey = journal.survey(None)
        for seat in (SEATS[0], "room"):
            reports = [report for report in survey.reports if report.seat == seat]
            last = {SEATS[0]: "left", "room": "closed"}[seat]
            assert [r.reason for r in reports] == ["rolled"] * (len(reports) - 1) + [last]
            assert [r.header.ordinal for r in reports if r.header] == list(range(1, len(reports) + 1))
            assert len({r.header.salt for r in reports if r.header}) == len(reports), "a key each"
        for stream in survey.streams:
            numbers = [seq for seq, *_ in journal.packets(stream)]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert stream.packets == len(numbers)
        (span,) = survey.epochs
        assert span.ended
        seats = [report for report in survey.reports if report.seat == SEATS[0]]
        for report in seats:
            witnessed = survey.heads[(1, report.path.name)]
            assert witnessed[report.head_index] == report.head_hash, "the end mark too"
    told = {str(head["segment"]) for head in heads.values()}
    assert told >= {report.path.name for report in seats}, "and outside the journal"


async def test_a_worker_that_died_after_a_roll_has_not_ended_its_epoch(tmp_path: Path) -> None:
    keys = KeyStore.open(tmp_path)
    await record(tmp_path, keys, people(1), seconds=5, roll_after_s=1.0, end=False)
    for seat in ("room", SEATS[0]):  # the newest files never came to be: what is there ends with `rolled`
        max((tmp_path / "journal" / RECORDING / "1").glob(f"{seat}.*")).unlink()
    seat_keys = keys.keys(RECORDING)
    with Journal(tmp_path / "journal", RECORDING, [1], seat_keys, seat_keys["room"]) as journal:
        survey = journal.survey(None)
    assert all(report.ended and report.reason == "rolled" for report in survey.reports)
    assert [span.ended for span in survey.epochs] == [False]


async def keep_recording(root: Path) -> None:
    """The child: 200 packets a second into files of half a second, until it is killed."""
    clock = SystemClock()
    store = StoreWriter(clock, sync_every_s=0.25, roll_after_s=0.5)
    store.start()
    recorder = RoomRecorder(root, RECORDING, 1, store, ROOM_KEY, clock, lambda _peer, _kind: None)
    recorder.admit(PEER, "grant-1", KEY)
    second = clock.boottime_ns()
    for seq in range(100_000):
        now = clock.boottime_ns()
        recorder.rtp(PEER, "audio", "", rtp(111, seq, seq * 240, 5, bytes(400)), now)
        if now - second >= NS // 4:
            second = now
            recorder.stored(now)
            for head in recorder.heads().values():
                sys.stdout.write(f"{head['segment']} {head['index']} {head['hash']}\n")
            sys.stdout.flush()
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 21))])
def test_a_recorder_killed_at_any_moment_of_a_roll_loses_nothing_that_was_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    call = f"asyncio.run(keep_recording(pathlib.Path({str(tmp_path)!r})))"
    code = f"import asyncio, pathlib; from {__name__} import keep_recording; {call}"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    told = [child.stdout.readline()]
    time.sleep(1.2 + random.Random(seed).random())
    child.kill()
    child.wait()
    killed_ns = SystemClock().boottime_ns()
    told += [line for line in child.stdout if line.endswith("\n")]
    child.stdout.close()
    with Journal(tmp_path, RECORDING, [1], {PEER: KEY}, ROOM_KEY) as journal:
        survey = journal.survey(0)
        (stream,) = survey.streams
        items = list(journal.packets(stream))
        numbers = [seq for seq, *_ in items]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "no hole at any seam"
        clock = SystemClock()
        assert killed_ns - (items[-1][2] - (clock.wall_ns() - clock.boottime_ns())) < 2 * NS
        assert len(survey.reports) >= 4
        assert not any(report.damaged for report in survey.reports)
    heads = [AcknowledgedHead(1, name, int(index), digest) for name, index, digest in map(str.split, told)]
    assert verify_journal(tmp_path, RECORDING, {PEER: KEY}, ROOM_KEY, heads)["chain"] == "intact"
