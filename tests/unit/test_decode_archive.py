"""Which zips are taken: by their table of contents, before anything of them is unpacked."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.decode import archive, series
from server.decode.limits import MOST_ENTRIES, MOST_EXPANDED, Unfit
from tests.support.documents import zipped


def refusal(data: bytes) -> str:
    with pytest.raises(Unfit) as caught:
        archive.entries(io.BytesIO(data), len(data))
    return caught.value.code


def test_files_count_and_what_a_file_manager_left_does_not() -> None:
    data = zipped({"S/": b"", "S/1.dcm": b"one", "__MACOSX/S/._1.dcm": b"x", "S/.DS_Store": b"x"})
    _packed, listed = archive.entries(io.BytesIO(data), len(data))
    assert [entry.filename for entry in listed] == ["S/1.dcm"]


@pytest.mark.parametrize("name", ["/etc/x", "../x", "S/../../x", "C:\\x", "S\\..\\x", "x" * 2000])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    assert refusal(zipped({"ok": b"1", name: b"2"})) == "archive_path"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_what_is_no_file_is_refused(kind: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        entry = zipfile.ZipInfo("link")
        entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
        packed.writestr(entry, "/etc/passwd")
    assert refusal(out.getvalue()) == "archive_path"


def patched(data: bytes, offset: int, value: bytes) -> bytes:
    """`data` with bytes of the first entry of its table changed; `offset` as in the zip's specification."""
    at = data.index(b"PK\x01\x02") + offset
    return data[:at] + value + data[at + len(value) :]


def test_a_locked_zip_is_told_apart() -> None:
    assert refusal(patched(zipped({"a": b"12"}), 8, b"\x01\x00")) == "document_locked"


def test_a_way_of_packing_that_nobody_needs_is_refused() -> None:
    assert refusal(zipped({"a": b"12" * 99}, zipfile.ZIP_LZMA)) == "document_kind"


def test_more_than_ten_times_its_size_is_refused() -> None:
    assert refusal(zipped({"a": bytes(100_000)})) == "archive_expands"


def test_more_than_four_gigabytes_are_refused_whatever_the_size() -> None:
    data = zipped({f"{n}": b"1" for n in range(3)}, zipfile.ZIP_DEFLATED)
    at = -1
    for _ in range(3):
        at = data.index(b"PK\x01\x02", at + 1)
        data = data[: at + 24] + struct.pack("<I", MOST_EXPANDED // 2) + data[at + 28 :]
    with pytest.raises(Unfit, match="archive_expands"):
        archive.entries(io.BytesIO(data), MOST_EXPANDED)


def test_two_names_for_the_same_bytes_are_refused() -> None:
    data = zipped({"a": b"1" * 40, "b": b"1" * 40}, zipfile.ZIP_STORED)
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    assert refusal(data[: second + 42] + bytes(4) + data[second + 46 :]) == "archive_expands"


def test_an_empty_zip_and_one_with_too_much_in_it_are_refused() -> None:
    assert refusal(zipped({})) == "document_empty"
    assert refusal(zipped({f"{n:05}": b"" for n in range(MOST_ENTRIES + 1)})) == "document_too_many"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_spoilt_zip_is_refused_or_stays_within_bounds(data: st.DataObject) -> None:
    whole = bytearray(zipped({f"S/{n}": bytes([n]) * 50 for n in range(3)}, zipfile.ZIP_STORED))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    refusals = (Unfit, zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError)
    with contextlib.suppress(*refusals):  # those beside Unfit: the child says "damaged"
        packed, listed = archive.entries(io.BytesIO(whole), len(whole))
        for entry in listed:
            assert len(archive.unpacked(packed, entry, 1000).read()) <= 10 * len(whole)


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 40)), min_size=1, max_size=40))
def test_an_order_reads_back_page_by_page(places: list[tuple[int, int]]) -> None:
    order = series.written(places)
    pages = [(number, frame) for number, shown in places for frame in range(shown)]
    assert [series.place(order, page) for page in range(len(pages))] == pages
    with pytest.raises(Unfit, match="page_unknown"):
        series.place(order, len(pages))


@given(st.text(max_size=60), st.integers(0, 10**6))
def test_an_order_that_is_none_leads_nowhere_or_to_a_number(order: str, page: int) -> None:
    with contextlib.suppress(Unfit):
        number, frame = series.place(order, page)
        assert number >= 0 <= frame
