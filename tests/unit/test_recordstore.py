"""The journal: what is written is read, what is damaged is found and named, nothing raises."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.recordstore import layout
from media.recordstore.reader import SegmentReader, SegmentReport, walk
from media.recordstore.segment import Segment, SegmentError, SegmentSpec
from media.recordstore.verify import CUT, INTACT, segment_state
from server.runtime.segment_copier import segments_here

KEY = b"k" * 32
SEAT = "seat-synthetic-0001"
REC = "rec-synthetic-00001"


def make(root: Path, seals: int = 4, *, end: bool = True, seat: str = SEAT) -> Path:
    segment = Segment(SegmentSpec(root, REC, 1, seat, "grant-1", KEY), 10**12, 10**18, b"b" * 16)
    row = layout.pack_track(10**12, layout.TrackEntry(1, 77, 48_000, "audio", "", "audio/opus"))
    for n in range(seals):
        packet = bytes((n,)) * 20
        entry = layout.RTP_ENTRY.pack(layout.RTP, len(packet) + 2, 10**12 + n, 1) + packet
        segment.seal(layout.pack_clock(10**12, 10**18, b"b" * 16) + row + entry, 1)
    if end:
        segment.end(2 * 10**12, "left")
    else:
        segment.abandon()
    return segment.path


def read(path: Path, key: bytes | None = KEY) -> tuple[SegmentReport, list[bytes]]:
    packets: list[bytes] = []
    with SegmentReader(path, key) as reader:
        for seal in reader.seals():
            for kind, _, start, stop in walk(seal, reader.report):
                if kind == layout.RTP and seal.plain:
                    packets.append(seal.plain[start + 2 : stop])
        return reader.report, packets


def codes(report: SegmentReport) -> set[str]:
    return {fault.code for fault in report.faults}


def test_what_is_written_is_read_without_a_fault(tmp_path: Path) -> None:
    report, packets = read(make(tmp_path))
    assert report.faults == []
    assert (report.ended, report.reason, report.seals, report.head_index) == (True, "left", 4, 4)
    assert packets == [bytes((n,)) * 20 for n in range(4)]


def test_header_lies_at_the_offsets_the_document_gives(tmp_path: Path) -> None:
    data = make(tmp_path).read_bytes()
    assert data[:8] == b"\x89HYJ\r\n\x1a\n"
    assert data[8:10] == b"\x00\x01"
    length = int.from_bytes(data[10:12], "big")
    assert data[12:16] == (1).to_bytes(4, "big")
    assert data[16:24] == (1).to_bytes(8, "big")
    assert data[24:32] == (10**12).to_bytes(8, "big")
    assert data[32:40] == (10**18).to_bytes(8, "big")
    assert data[40:56] == b"b" * 16
    assert data[88] == len(REC)
    assert data[89 : 89 + len(REC)] == REC.encode()
    assert data[length : length + 4] == b"SEAL"
    assert length == 88 + 3 + len(REC) + len(SEAT) + len("grant-1")


def test_a_seal_opens_with_nothing_but_the_document(tmp_path: Path) -> None:
    """Written out with primitives only, as another implementation would."""
    import hashlib

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    data = make(tmp_path).read_bytes()
    length = int.from_bytes(data[10:12], "big")
    header, salt = data[:length], data[56:88]
    key = HKDF(SHA256(), 32, salt, f"{REC}|1|{SEAT}|journal1".encode()).derive(KEY)
    previous, at, index = hashlib.sha256(header).digest(), length, 0
    while at < len(data):
        head = data[at : at + 52]
        size = int.from_bytes(head[8:12], "big")
        assert (head[:4], int.from_bytes(head[12:20], "big"), head[20:52]) == (b"SEAL", index, previous)
        cipher = data[at + 52 : at + 52 + size]
        assert AESGCM(key).decrypt(index.to_bytes(12, "big"), cipher, header + head)
        previous, at, index = hashlib.sha256(head + cipher).digest(), at + 52 + size, index + 1
    assert index == 5


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = make(tmp_path, 2)
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes((good[at] ^ 0x41,)) + good[at + 1 :])
        report, _ = read(path)
        # The last seal with a longer length looks like one that a crash tore; a witness tells them apart.
        torn = at in range(good.rfind(b"SEAL") + 8, good.rfind(b"SEAL") + 12)
        assert report.damaged or (torn and segment_state(report, {2: ""}) == CUT), at


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (("header", 0), "bad_magic"),
        (("header", 9), "bad_version"),
        (("header", 11), "bad_header"),
        (("header", 15), "misnamed"),
        (("header", 30), "bad_header"),
        (("header", 60), "bad_header"),
        (("header", 90), "misnamed"),
        (("seal", 0), "bad_seal"),
        (("seal", 4), "bad_seal"),
        (("seal", 7), "bad_seal"),
        (("seal", 8), "bad_seal"),
        (("seal", 19), "bad_index"),
        (("seal", 30), "bad_chain"),
        (("seal", 60), "bad_tag"),
    ],
)
def test_a_flipped_byte_is_named(tmp_path: Path, where: tuple[str, int], expected: str) -> None:
    path = make(tmp_path)
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[10:12], "big")
    first = 52 + int.from_bytes(data[length + 8 : length + 12], "big")
    data[(0 if where[0] == "header" else length + first) + where[1]] ^= 0x02
    path.write_bytes(data)
    assert expected in codes(read(path)[0])


def test_one_damaged_seal_costs_only_itself(tmp_path: Path) -> None:
    path = make(tmp_path)
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[10:12], "big")
    size = 52 + int.from_bytes(data[length + 8 : length + 12], "big")
    for inside in (0, 9, 60):
        hurt = bytearray(data)
        hurt[length + size + inside] ^= 0xFF
        path.write_bytes(hurt)
        report, packets = read(path)
        assert packets == [bytes((n,)) * 20 for n in (0, 2, 3)], inside
        assert report.ended


def test_a_damaged_header_is_replaced_by_its_copy(tmp_path: Path) -> None:
    path = make(tmp_path)
    data = bytearray(path.read_bytes())
    copy = bytes(data[: int.from_bytes(data[10:12], "big")])
    data[60] ^= 1
    path.write_bytes(data)
    with SegmentReader(path, KEY, header=copy) as reader:
        assert all(seal.plain for seal in reader.seals())
        assert codes(reader.report) == {"bad_header"}


def test_a_torn_tail_is_told_from_damage(tmp_path: Path) -> None:
    path = make(tmp_path, end=False)
    data = path.read_bytes()
    report, packets = read(path)
    assert codes(report) == {"missing_end"}
    path.write_bytes(data[:-7])
    report, packets = read(path)
    assert codes(report) == {"truncated", "missing_end"}
    assert not report.damaged
    assert len(packets) == 3


def test_a_cut_after_an_acknowledgement_is_told_from_a_crash(tmp_path: Path) -> None:
    path = make(tmp_path)
    whole, _ = read(path)
    data = path.read_bytes()
    cut = data[: data.rfind(b"SEAL")]
    path.write_bytes(cut[: cut.rfind(b"SEAL")])
    report, _ = read(path)
    assert segment_state(report, {}) == INTACT
    assert segment_state(report, {2: whole.hashes[2]}) == INTACT
    assert segment_state(report, {3: whole.hashes[3]}) == CUT


def test_seals_cannot_be_swapped_or_repeated(tmp_path: Path) -> None:
    path = make(tmp_path)
    data = path.read_bytes()
    parts = data.split(b"SEAL")
    for order in ((0, 2, 1, 3, 4, 5), (0, 1, 1, 2, 3, 4, 5), (0, 1, 3, 4, 5)):
        path.write_bytes(b"SEAL".join(parts[i] for i in order))
        assert read(path)[0].damaged, order


def test_a_segment_of_another_place_is_misnamed(tmp_path: Path) -> None:
    path = make(tmp_path)
    other = path.with_name(layout.segment_name("seat-synthetic-0002", 1))
    os.rename(path, other)
    assert "misnamed" in codes(read(other)[0])


def test_the_wrong_key_opens_nothing_and_says_so(tmp_path: Path) -> None:
    report, packets = read(make(tmp_path), b"x" * 32)
    assert packets == []
    assert "bad_tag" in codes(report)


def test_the_chain_is_walked_without_a_key(tmp_path: Path) -> None:
    path = make(tmp_path)
    assert read(path, None)[0].faults == []
    data = bytearray(path.read_bytes())
    data[int.from_bytes(data[10:12], "big") + 60] ^= 1
    path.write_bytes(data)
    assert "bad_chain" in codes(read(path, None)[0])


def test_a_file_is_never_opened_twice_for_writing(tmp_path: Path) -> None:
    names = [make(tmp_path, 1).name for _ in range(3)]
    assert names == [f"{SEAT}.{n:04d}.seg" for n in (1, 2, 3)]
    salts = {(tmp_path / REC / "1" / name).read_bytes()[56:88] for name in names}
    assert len(salts) == 3


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_unreadable_no_copy_and_nobody_waits_for_it(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "rec" / "1" / "seat.0001.seg"
    path.parent.mkdir(parents=True)
    make(path)
    with SegmentReader(path, None) as reader:
        assert list(reader.seals()) == []
    assert reader.report.faults[0].code == "unreadable"
    assert segments_here(tmp_path, "rec") == []


def test_nothing_follows_the_end_mark(tmp_path: Path) -> None:
    segment = Segment(SegmentSpec(tmp_path, REC, 1, SEAT, "g", KEY), 1, 1, b"b" * 16)
    segment.end(2, "left")
    with pytest.raises(SegmentError):
        segment.seal(b"more", 1)
    with segment.path.open("ab") as file:
        file.write(segment.path.read_bytes()[-100:])
    assert read(segment.path)[0].damaged


@pytest.mark.parametrize("tail", [b"x", b"SEAL" + bytes(30), bytes(500)])
def test_half_a_seal_after_the_end_mark_was_no_crash(tmp_path: Path, tail: bytes) -> None:
    path = make(tmp_path)
    with path.open("ab") as file:
        file.write(tail)
    assert read(path)[0].damaged


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a.b", "x" * 65, "имя", "a\n"])
def test_an_id_that_is_no_id_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(layout.LayoutError):
        layout.epoch_directory(tmp_path, name, 1)
    with pytest.raises(layout.LayoutError):
        layout.segment_name(name, 1)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 700), st.integers(0, 700))
def test_no_bytes_make_the_reader_raise(noise: bytes, begin: int, length: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = make(Path(directory), 3)
        good = path.read_bytes()
        for data in (noise, good[:begin] + noise + good[begin + length :]):
            path.write_bytes(data)
            for key in (KEY, None):
                report, _ = read(path, key)
                assert data == good or report.faults


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_plaintext_makes_the_entry_parsers_raise_anything_else(data: bytes) -> None:
    for parse in (
        layout.parse_track,
        layout.parse_clock,
        layout.parse_sr,
        layout.parse_end,
        layout.parse_json,
    ):
        with contextlib.suppress(layout.LayoutError):
            parse(data)
    with contextlib.suppress(layout.LayoutError):
        assert all(stop <= len(data) for _, _, _, stop in layout.entries(data))


def test_a_sector_that_was_never_written_is_a_crash_unless_somebody_was_told_of_it(tmp_path: Path) -> None:
    path = make(tmp_path, 8, end=False)
    good = path.read_bytes()
    assert len(good) > 1024
    whole, _ = read(path)
    for begin in (0, 512):
        path.write_bytes(good[:begin] + bytes(512) + good[begin + 512 :])
        for key in (KEY, None):
            report, _ = read(path, key)
            assert codes(report) - {"missing_end"}, begin
            assert key is None or segment_state(report, {}) == INTACT
            assert segment_state(report, {7: whole.hashes[7]}) != INTACT
        path.write_bytes(good[:begin] + bytes(511) + b"\x01" + good[begin + 512 :])
        assert segment_state(read(path)[0], {}) != INTACT
