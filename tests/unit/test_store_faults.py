"""A recorder on a disk that is full, slow, broken or read-only: all else goes on, each packet is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from media.recorder import RoomRecorder
from media.recordstore import layout
from media.recordstore.gaps import unheard_gaps
from media.recordstore.index import Journal, Survey
from media.recordstore.space import SpaceGate, resume_bytes
from media.recordstore.store import ROOM_EXTRA, StoreWriter
from media.recordstore.verify import verify_journal
from tests.support.faulty_disk import Faults, FaultyDisk, fault
from tests.support.recorded import NS, RECORDING, FakeClock, rtp

KEYS = {"seat-synthetic-0001": b"k" * 32, "seat-synthetic-0002": b"l" * 32}
ONE, TWO = KEYS
ROOM_KEY = b"r" * 32
FLOOR = 1_000_000
PACKET = 1000
SEGMENTS = "*.seg"


class Studio:
    """Two seats, 50 packets a second each on a clock that the test moves, and a disk that does as told."""

    def __init__(self, folder: Path, limit: int = 1_600_000) -> None:
        self.root = folder / "journal"
        self.root.mkdir()
        self.faults = Faults(folder)
        disk = FaultyDisk(self.faults.control)
        self.clock = FakeClock()
        self.gate = SpaceGate(self.root, FLOOR, disk)
        self.limit = limit
        self.store = StoreWriter(
            self.clock, disk=disk, gate=self.gate, sync_every_s=0.05, retry_after_s=0.05, limit_bytes=limit
        )
        self.gate.look()  # as the worker does before its first file
        self.store.start()
        self.recorder = RoomRecorder(
            self.root, RECORDING, 1, self.store, ROOM_KEY, self.clock, lambda _peer, _kind: None
        )
        self.sent = dict.fromkeys(KEYS, 0)
        self.slowest_s = 0.0
        for seat, key in KEYS.items():
            self.recorder.admit(seat, "grant-1", key)

    def second(self) -> None:
        """A second of talk: what the loop does, with the longest time that one call took."""
        for _ in range(50):
            self.clock.now_ns += NS // 50
            for ssrc, seat in enumerate(KEYS, 1):
                self.sent[seat] += 1
                packet = rtp(111, self.sent[seat], self.sent[seat] * 960, ssrc, bytes(PACKET))
                began = time.perf_counter()
                self.recorder.rtp(seat, "audio", "", packet, self.clock.now_ns)
                self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
        self.recorder.stored(self.clock.now_ns)
        time.sleep(0.01)  # the writer's turn

    def begin(self) -> None:
        """A first second that is on disk."""
        self.second()
        feeds = [self.recorder._room.feed, *(seat.feed for seat in self.recorder._seats.values())]
        self.until(lambda: all(feed.acknowledged.number for feed in feeds))

    def errors(self) -> dict[str, str | None]:
        return {seat: s.error for seat, s in self.recorder.stored(self.clock.now_ns).seats.items()}

    def until(self, what: Callable[[], bool], *, talking: bool = False) -> None:
        end = time.monotonic() + 10
        while not what():
            assert time.monotonic() < end, (self.errors(), self.store.queued_bytes)
            if talking:
                self.second()
            time.sleep(0.01)

    async def close(self) -> Survey:
        await self.recorder.close()
        assert self.store.close()
        epochs = layout.epochs_of(self.root, RECORDING)
        with Journal(self.root, RECORDING, epochs, KEYS, ROOM_KEY) as journal:
            return journal.survey(None)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path)
    yield made
    made.faults.set()
    made.store.close()


def stored(survey: Survey, seat: str) -> int:
    return sum(stream.packets for stream in survey.streams if stream.peer == seat)


def lost(survey: Survey, seat: str) -> int:
    return sum(hole.packets for hole in survey.holes if hole.peer == seat)


def causes(survey: Survey, seat: str) -> set[str]:
    return {hole.cause for hole in survey.holes if hole.peer == seat}


def accounted(studio: Studio, survey: Survey) -> None:
    """Every packet that was sent is stored, or counted in a gap with its cause."""
    for seat, sent in studio.sent.items():
        assert stored(survey, seat) + lost(survey, seat) == sent, seat
    state: dict[str, Any] = verify_journal(studio.root, RECORDING, KEYS, ROOM_KEY)
    assert state["chain"] == "intact"


@pytest.mark.parametrize(
    ("phase", "error"),
    [
        ("before_write", "EIO"),
        ("before_datasync", "EIO"),
        ("in_write", "ENOSPC"),
        ("before_create", "ENOSPC"),
        ("before_write", "EROFS"),
    ],
)
async def test_an_error_on_one_segment_hurts_no_other(studio: Studio, phase: str, error: str) -> None:
    code = {"EIO": "io_error", "ENOSPC": "no_space", "EROFS": "read_only"}[error]
    studio.begin()
    studio.faults.set(fault(phase, f"*/{ONE}.*.seg", error=error))
    if phase == "before_create":  # a file that is open goes on: only a new one needs creating
        studio.recorder.admit(ONE, "grant-2", KEYS[ONE])
    studio.until(lambda: studio.errors()[ONE] == code, talking=True)
    for _ in range(20):
        studio.second()
    assert studio.errors() == {ONE: code, TWO: None}
    feeds = {seat: studio.recorder._seats[seat].feed for seat in KEYS}
    assert feeds[ONE].held_bytes <= studio.limit // 8
    studio.until(lambda: feeds[TWO].held_bytes < 3 * 50 * PACKET)
    degraded = studio.recorder.stored(studio.clock.now_ns).degraded
    assert degraded == [(ONE, "audio", code)]
    studio.faults.set()
    studio.until(lambda: studio.errors()[ONE] is None, talking=True)
    studio.second()
    survey = await studio.close()
    assert stored(survey, TWO) == studio.sent[TWO]
    assert causes(survey, ONE) == {code}
    accounted(studio, survey)
    assert all(path.stat().st_size > 128 for path in studio.root.rglob(SEGMENTS)), "no file without a header"


async def test_below_the_floor_media_waits_and_rooms_go_on(tmp_path: Path) -> None:
    studio = Studio(tmp_path, limit=64_000_000)
    studio.begin()
    studio.faults.set(free=FLOOR - 1)
    studio.until(lambda: set(studio.errors().values()) == {"no_space"}, talking=True)
    files = {path: path.stat().st_size for path in studio.root.rglob(SEGMENTS)}

    def grown() -> set[str]:
        return {path.name for path, size in files.items() if path.stat().st_size > size}

    studio.until(lambda: bool(grown()), talking=True)
    studio.second()
    assert grown() == {"room.0001.seg"}
    assert set(studio.root.rglob(SEGMENTS)) == set(files), "nothing was opened anew"
    studio.faults.set(free=resume_bytes(FLOOR) - 1)
    for _ in range(4):
        studio.second()
    assert set(studio.errors().values()) == {"no_space"}, "a little more than the floor is not enough"
    studio.faults.set(free=resume_bytes(FLOOR))
    studio.until(lambda: set(studio.errors().values()) == {None}, talking=True)
    survey = await studio.close()
    assert len(survey.reports) == 3, "the same files went on"
    assert all(report.ended for report in survey.reports)
    assert not survey.holes, "what waited in memory was stored"
    accounted(studio, survey)


async def test_a_disk_that_stays_full_costs_a_named_gap_and_no_end_mark(studio: Studio) -> None:
    studio.begin()
    studio.faults.set(free=0)
    studio.until(lambda: set(studio.errors().values()) == {"no_space"})
    for _ in range(30):
        studio.second()
    assert studio.store.queued_bytes <= studio.limit // 2 + ROOM_EXTRA
    survey = await studio.close()
    assert all(report.ended for report in survey.reports)
    for seat in KEYS:
        assert causes(survey, seat) == {"no_space"}
        assert lost(survey, seat) > 0
    accounted(studio, survey)


async def test_seats_of_which_nothing_was_stored_are_gaps_all_the_same(tmp_path: Path) -> None:
    Faults(tmp_path).set(free=0)
    studio = Studio(tmp_path)
    for _ in range(3):
        studio.second()
    survey = await studio.close()
    assert survey.streams == []
    accounted(studio, survey)
    told = unheard_gaps(survey)
    assert {(gap["peer"], gap["cause"]) for gap in told} == {(ONE, "no_space"), (TWO, "no_space")}
    assert all(int(str(gap["to"])) - int(str(gap["from"])) > 2000 for gap in told)


async def test_a_seat_that_leaves_while_the_disk_is_full_has_its_gap_too(studio: Studio) -> None:
    studio.begin()
    studio.faults.set(free=0)
    studio.until(lambda: set(studio.errors().values()) == {"no_space"})
    for _ in range(30):
        studio.second()
    studio.recorder.dismiss(ONE, "left")
    sent = studio.sent[ONE]
    studio.second()
    studio.faults.set()
    studio.until(lambda: studio.errors()[TWO] is None, talking=True)
    survey = await studio.close()
    assert stored(survey, ONE) + lost(survey, ONE) == sent
    assert causes(survey, ONE) == {"no_space"}


async def test_a_slow_disk_overflows_into_a_counted_gap_and_blocks_nobody(studio: Studio) -> None:
    studio.begin()
    studio.faults.set(fault("before_datasync", block_s=60))
    peak = 0
    for _ in range(60):
        studio.second()
        peak = max(peak, studio.store.queued_bytes)
    assert studio.limit * 0.8 < peak <= studio.limit + ROOM_EXTRA, "memory is bounded, and was needed"
    degraded = studio.recorder.stored(studio.clock.now_ns).degraded
    assert (ONE, "audio", "store_slow") in degraded
    assert studio.slowest_s < 30, "the packet path waited for the disk"
    studio.faults.set()
    studio.until(lambda: studio.store.queued_bytes < 1000)
    studio.second()
    survey = await studio.close()
    assert causes(survey, ONE) == causes(survey, TWO) == {"store_slow"}
    assert studio.store.stats.lost_packets == lost(survey, ONE) + lost(survey, TWO) > 0
    accounted(studio, survey)


async def test_the_rooms_own_file_in_trouble_degrades_everybody(studio: Studio) -> None:
    studio.begin()
    studio.faults.set(fault("before_write", "*/room.*.seg", error="EIO"))
    room = studio.recorder._room.feed
    studio.until(lambda: room.error == "io_error", talking=True)
    degraded = studio.recorder.stored(studio.clock.now_ns).degraded
    assert degraded == [(ONE, "", "io_error"), (TWO, "", "io_error")]
    studio.faults.set()
    studio.until(lambda: room.error is None, talking=True)
    survey = await studio.close()
    accounted(studio, survey)
    assert [r.ended for r in survey.reports if r.seat == layout.ROOM] == [False, True]


async def test_the_gate_opens_and_closes_apart(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    gate = SpaceGate(tmp_path, FLOOR, FaultyDisk(faults.control))
    seen = []
    for free in (FLOOR, FLOOR - 1, FLOOR, FLOOR * 3 // 2 - 1, FLOOR * 3 // 2, FLOOR):
        faults.set(free=free)
        seen.append(gate.look())
    assert seen == [True, False, False, False, True, True]
    gate.refused()
    assert not gate.look()
    faults.set(fault("before_space", error="EIO"))
    assert not gate.look(), "a disk that does not answer changes nothing"
    await asyncio.sleep(0)
