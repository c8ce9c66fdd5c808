"""The recorder and its store: what is kept, what is refused, what is said about it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from media.recorder import RoomRecorder
from media.recordstore import layout
from media.recordstore.index import Journal, Survey
from media.recordstore.store import StoreWriter
from media.recordstore.verify import AcknowledgedHead, verify_journal
from tests.support.recorded import NS, RECORDING, FakeClock, rtp

KEY, ROOM_KEY = b"k" * 32, b"r" * 32
PEER, OTHER = "seat-synthetic-0001", "seat-synthetic-0002"
KEYFRAME = b"\x10" + b"\x10\x00\x00\x9d\x01\x2a\xa0\x00\x78\x00" + bytes(40)
DELTA = b"\x10" + b"\x11" + bytes(40)


@dataclass
class Set:
    """A recorder on a clock that the test moves."""

    root: Path
    clock: FakeClock = field(default_factory=FakeClock)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    limit: int = 32 << 20

    def __post_init__(self) -> None:
        self.store = StoreWriter(self.clock, sync_every_s=0.05, limit_bytes=self.limit)
        self.store.start()
        self.recorder = self.make(1)
        self.seq = 0

    def make(self, epoch: int) -> RoomRecorder:
        return RoomRecorder(
            self.root,
            RECORDING,
            epoch,
            self.store,
            ROOM_KEY,
            self.clock,
            lambda *asked: self.asked.append(asked),
        )

    def send(
        self,
        peer: str = PEER,
        kind: str = "audio",
        payload: bytes = bytes(50),
        ssrc: int = 5,
        rid: str = "",
    ) -> None:
        self.seq += 1
        pt = 111 if kind == "audio" else 96
        self.recorder.rtp(
            peer, kind, rid, rtp(pt, self.seq, self.seq * 960, ssrc, payload, True), self.clock.now_ns
        )

    def wait(self, until: Callable[[], bool], seconds: float = 5.0) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.01)

    def survey(self, keys: dict[str, bytes] | None = None) -> Survey:
        epochs = layout.epochs_of(self.root, RECORDING)
        with Journal(self.root, RECORDING, epochs, keys or {PEER: KEY, OTHER: KEY}, ROOM_KEY) as journal:
            return journal.survey(None)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Set]:
    made = Set(tmp_path)
    yield made
    assert made.store.close()


async def test_nothing_of_a_peer_without_a_grant_reaches_the_disk(made: Set) -> None:
    made.send()
    made.recorder.sender_report(PEER, "audio", 5, 1, 1, made.clock.now_ns)
    await made.recorder.close()
    assert [p.name for p in made.root.rglob("*.seg")] == ["room.0001.seg"]


async def test_every_packet_comes_back(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    for _ in range(300):
        made.clock.now_ns += 20_000_000
        made.send()
        made.send(kind="camera", payload=DELTA, ssrc=6)
    await made.recorder.close()
    survey = made.survey()
    assert {(s.kind, s.ssrc, s.packets) for s in survey.streams} == {("audio", 5, 300), ("camera", 6, 300)}
    assert not any(report.faults for report in survey.reports)


async def test_a_withdrawn_seat_loses_what_is_not_sealed_yet(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    made.recorder.admit(OTHER, "grant-2", KEY)
    for peer in (PEER, OTHER):
        made.send(peer)
    made.recorder.dismiss(PEER)
    made.recorder.dismiss(OTHER, "left")
    made.send(PEER)
    await made.recorder.close()
    survey = made.survey()
    assert [s.peer for s in survey.streams] == [OTHER]
    assert {r.seat: r.reason for r in survey.reports} == {PEER: "withdrawn", OTHER: "left", "room": "closed"}


async def test_each_grant_gets_a_file_of_its_own(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send()
    made.recorder.admit(PEER, "grant-2", KEY)
    made.send()
    await made.recorder.close()
    survey = made.survey()
    grants = [r.header.grant for r in survey.reports if r.header and r.seat == PEER]
    assert grants == ["grant-1", "grant-2"]
    assert survey.streams[0].packets == 2


async def test_a_key_frame_is_asked_for_at_the_start_and_after_ten_seconds_without(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send(kind="camera", payload=DELTA)
    assert made.asked == [(PEER, "camera", "")]
    made.clock.now_ns += NS
    made.send(kind="camera", payload=DELTA)
    assert len(made.asked) == 1, "not while one is outstanding"
    made.send(kind="camera", payload=KEYFRAME)
    for _ in range(9):
        made.clock.now_ns += NS
        made.send(kind="camera", payload=DELTA)
    assert len(made.asked) == 1
    made.clock.now_ns += NS
    made.send(kind="camera", payload=DELTA)
    assert len(made.asked) == 2
    made.send(kind="camera", payload=DELTA, ssrc=99)
    assert len(made.asked) == 3, "another stream begins"
    await made.recorder.close()


async def test_each_layer_is_stored_and_asked_for_key_frames_of_its_own(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    for rid, ssrc in (("l", 6), ("h", 7)):
        made.send(kind="camera", payload=DELTA, ssrc=ssrc, rid=rid)
        made.send(kind="camera", payload=KEYFRAME, ssrc=ssrc, rid=rid)
    assert made.asked == [(PEER, "camera", "l"), (PEER, "camera", "h")]
    for _ in range(11):
        made.clock.now_ns += NS
        made.send(kind="camera", payload=KEYFRAME, ssrc=6, rid="l")
        made.send(kind="camera", payload=DELTA, ssrc=7, rid="h")
    assert made.asked[2:] == [(PEER, "camera", "h")], "only the layer that had none for ten seconds"
    await made.recorder.close()
    streams = {(s.kind, s.rid, s.ssrc): s.packets for s in made.survey().streams}
    assert streams == {("camera", "l", 6): 13, ("camera", "h", 7): 13}


async def test_a_picture_that_comes_back_is_asked_for_a_key_frame(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send(kind="camera", payload=KEYFRAME, rid="h")
    made.clock.now_ns += 2 * NS
    made.send(kind="camera", payload=KEYFRAME, rid="h")
    assert made.asked == [], "it came back with one by itself"
    made.clock.now_ns += 2 * NS
    for _ in range(3):
        made.send(kind="camera", payload=DELTA, rid="h")
    assert made.asked == [(PEER, "camera", "h")]
    await made.recorder.close()


async def test_after_an_overflow_a_key_frame_is_asked_for(tmp_path: Path) -> None:
    made = Set(tmp_path, limit=1)
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send(kind="camera", payload=KEYFRAME)
    made.clock.now_ns += NS
    made.send(kind="camera", payload=DELTA)
    assert made.asked == []
    made.send(kind="camera", payload=DELTA)
    assert made.asked == [(PEER, "camera", "")], "what was dropped is missing to all that follows"
    await made.recorder.close()
    assert made.store.close()


async def test_it_says_what_it_has_and_not_what_it_was_given(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send()
    assert made.recorder.stored(made.clock.now_ns).until_ms is None
    begin_ms = made.clock.wall_ns() // 1_000_000

    def until() -> int:
        return made.recorder.stored(made.clock.now_ns).until_ms or 0

    made.wait(lambda: until() == begin_ms)
    made.clock.now_ns += 4 * NS
    report = made.recorder.stored(made.clock.now_ns)
    assert report.until_ms == begin_ms, "a silent second counts only once it is on disk"
    made.wait(lambda: until() == begin_ms + 4000)
    await made.recorder.close()


async def test_a_stuck_store_degrades_the_light_after_three_seconds(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send()
    await asyncio.wrap_future(made.store.flushed())
    with made.store._wake:  # the thread cannot take work: as if the disk stood still
        made.send()
        made.clock.now_ns += 2 * NS
        made.send()
        now = made.clock.now_ns + NS + 1
        seat = made.recorder._seats[PEER]
        report = made.recorder._seat_stored(seat, now, 0)
    assert report.waiting_ms >= 3000
    await made.recorder.close()


async def test_overflow_is_a_counted_gap_and_never_an_error(tmp_path: Path) -> None:
    made = Set(tmp_path, limit=100_000)
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send()
    made.recorder.stored(made.clock.now_ns)
    await asyncio.wrap_future(made.store.flushed())
    with made.store._wake:
        for _ in range(300):
            made.clock.now_ns += 10_000_000
            made.send(payload=bytes(1000))
    await asyncio.wrap_future(made.store.flushed())
    made.clock.now_ns += NS
    made.send()
    await made.recorder.close()
    assert made.store.close()
    survey = made.survey()
    (hole,) = survey.holes
    assert hole.cause == "store_slow"
    assert 0 < survey.streams[0].packets < 302
    assert hole.to_ns - hole.from_ns > NS
    assert verify_journal(tmp_path, RECORDING, {PEER: KEY}, ROOM_KEY)["chain"] == "intact"


async def test_a_disk_that_comes_back_costs_nothing(tmp_path: Path) -> None:
    """The journal's place is a file, so that nothing can be made there; then it is taken away."""
    root = tmp_path / "journal"
    root.write_bytes(b"")
    made = Set(root)
    made.recorder.admit(PEER, "grant-1", KEY)
    for _ in range(20):
        made.clock.now_ns += 100_000_000
        made.send()
    made.wait(lambda: made.recorder.stored(made.clock.now_ns).seats[PEER].error == "io_error")
    assert made.recorder.stored(made.clock.now_ns).degraded == [(PEER, "audio", "io_error")]
    root.unlink()
    made.wait(lambda: made.recorder.stored(made.clock.now_ns).seats[PEER].error is None)
    await made.recorder.close()
    assert made.store.close()
    assert made.survey().streams[0].packets == 20


def test_a_full_disk_is_reported_and_retried_with_a_new_segment(tmp_path: Path) -> None:
    """A file size limit stands for the full disk: EFBIG comes from write() as ENOSPC would."""
    code = f"""
    import resource, sys, time
    from pathlib import Path
    sys.path.insert(0, {str(Path.cwd())!r})
    from tests.unit.test_recorder import Set, KEY, PEER
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
    made = Set(Path({str(tmp_path)!r}))
    made.recorder.admit(PEER, "grant-1", KEY)
    for n in range(100):
        made.clock.now_ns += 20_000_000
        made.send(payload=bytes(1000))
    made.wait(lambda: made.recorder.stored(made.clock.now_ns).seats[PEER].error == "no_space")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    made.wait(lambda: made.recorder.stored(made.clock.now_ns).seats[PEER].error is None)
    import asyncio
    asyncio.run(made.recorder.close())
    assert made.store.close()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)
    made = Set(tmp_path / "unused")
    made.root = tmp_path
    survey = made.survey()
    made.store.close()
    assert survey.streams[0].packets == 100
    assert len([r for r in survey.reports if r.seat == PEER]) >= 2


async def test_heads_are_only_of_what_is_on_disk_and_witness_a_cut(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    assert made.recorder.heads() == {}
    for _ in range(5):
        made.clock.now_ns += NS
        made.send()
        made.recorder.stored(made.clock.now_ns)
    await asyncio.wrap_future(made.store.flushed())
    head = made.recorder.heads()[PEER]
    assert head["segment"] == f"{PEER}.0001.seg"
    await made.recorder.close()
    path = layout.epoch_directory(made.root, RECORDING, 1) / f"{PEER}.0001.seg"
    acknowledged = [AcknowledgedHead(1, path.name, int(str(head["index"])), str(head["hash"]))]
    keys = {PEER: KEY}
    assert verify_journal(made.root, RECORDING, keys, ROOM_KEY, acknowledged)["chain"] == "intact"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    assert verify_journal(made.root, RECORDING, keys, ROOM_KEY, acknowledged)["chain"] == "cut_after_ack"
    path.unlink()
    assert verify_journal(made.root, RECORDING, keys, ROOM_KEY, acknowledged)["chain"] == "cut_after_ack"
    assert verify_journal(made.root, RECORDING, keys, ROOM_KEY)["chain"] == "cut_after_ack", (
        "the room's file knows"
    )


async def test_the_rooms_file_witnesses_every_files_end_mark(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    made.send()
    made.recorder.admit(PEER, "grant-2", KEY)
    made.send()
    made.recorder.dismiss(PEER)
    made.recorder.admit(PEER, "grant-3", KEY)
    made.send()
    await made.recorder.close()
    survey = made.survey()
    ends = {(1, r.path.name): r.head_index for r in survey.reports if r.seat == PEER}
    assert len(ends) == 3
    assert {key: max(known) for key, known in survey.heads.items()} == ends
    for name in (f"{PEER}.000{n}.seg" for n in (1, 2, 3)):
        path = layout.epoch_directory(made.root, RECORDING, 1) / name
        whole = path.read_bytes()
        path.write_bytes(whole[: whole.rfind(b"SEAL")])
        assert verify_journal(made.root, RECORDING, {PEER: KEY}, ROOM_KEY)["chain"] == "cut_after_ack", name
        path.write_bytes(whole)
    assert verify_journal(made.root, RECORDING, {PEER: KEY}, ROOM_KEY)["chain"] == "intact"


async def test_closing_twice_and_packets_after_it_do_nothing(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    await made.recorder.close()
    made.send()
    made.recorder.event(PEER, "late", made.clock.now_ns)
    made.recorder.admit(OTHER, "grant-2", KEY)
    await made.recorder.close()
    assert made.survey().streams == []


async def test_ids_and_keys_that_are_none_are_refused_before_anything_is_made(made: Set) -> None:
    for peer, grant, key in (("../x", "g", KEY), (PEER, "g/h", KEY), (PEER, "g", b"short"), ("", "g", KEY)):
        with pytest.raises(layout.LayoutError):
            made.recorder.admit(peer, grant, key)
    with pytest.raises(layout.LayoutError):
        RoomRecorder(made.root, "../up", 1, made.store, ROOM_KEY, made.clock, lambda _p, _k, _r: None)
    await made.recorder.close()
    assert [p.name for p in made.root.rglob("*.seg")] == ["room.0001.seg"]


async def test_made_up_streams_are_bounded(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    for ssrc in range(1000):
        made.send(ssrc=ssrc)
    await made.recorder.close()
    assert len(made.survey().streams) == 256


async def test_hostile_sizes_are_not_recorded(made: Set) -> None:
    made.recorder.admit(PEER, "grant-1", KEY)
    for packet in (b"", b"\x80" * 11, b"\x80" * 70_000):
        made.recorder.rtp(PEER, "audio", "", packet, made.clock.now_ns)
    made.send()
    made.recorder.rtp(PEER, "audio", "", made_large(), made.clock.now_ns)
    made.send()
    await made.recorder.close()
    assert made.survey().streams[0].packets == 2


def made_large() -> bytes:
    """Too large for an entry, with the SSRC of a known track."""
    return rtp(111, 9, 9, 5, bytes(66_000))
