"""Byte ranges: whatever is asked for, the answer is a slice, the whole, or 416 (RFC 9110 section 14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.playback.ranges import (
    RangeNotSatisfiableError,
    none_match,
    parse_range,
    range_applies,
)

SIZES = st.integers(0, 1 << 40)


@given(size=SIZES, first=st.integers(0, 1 << 41), last=st.integers(0, 1 << 41))
def test_a_closed_range_is_the_slice_between_both_ends(size: int, first: int, last: int) -> None:
    header = f"bytes={first}-{last}"
    if last < first:
        assert parse_range(header, size) is None
    elif first >= size:
        with pytest.raises(RangeNotSatisfiableError):
            parse_range(header, size)
    else:
        found = parse_range(header, size)
        assert found is not None
        assert (found.start, found.end) == (first, min(last + 1, size))
        assert found.content_range == f"bytes {first}-{min(last, size - 1)}/{size}"


@given(size=SIZES, first=st.integers(0, 1 << 41))
def test_an_open_range_goes_to_the_end(size: int, first: int) -> None:
    if first >= size:
        with pytest.raises(RangeNotSatisfiableError):
            parse_range(f"bytes={first}-", size)
    else:
        found = parse_range(f"bytes={first}-", size)
        assert found is not None
        assert (found.start, found.end) == (first, size)


@given(size=SIZES, length=st.integers(0, 1 << 41))
def test_a_suffix_is_the_last_bytes(size: int, length: int) -> None:
    if min(size, length) == 0:
        with pytest.raises(RangeNotSatisfiableError):
            parse_range(f"bytes=-{length}", size)
    else:
        found = parse_range(f"bytes=-{length}", size)
        assert found is not None
        assert (found.end, found.length) == (size, min(size, length))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-2,4-5",
        "bytes=5-2",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=٣-٤",
        "items=0-1",
        "bytes 0-1",
        "bytes=0-1;q=1",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_is_no_single_byte_range_is_ignored(header: str | None) -> None:
    assert parse_range(header, 100) is None


@given(header=st.text(max_size=80), size=SIZES)
def test_no_header_does_harm(header: str, size: int) -> None:
    try:
        found = parse_range(header, size)
    except RangeNotSatisfiableError:
        return
    assert found is None or 0 <= found.start < found.end <= size


def test_the_unit_is_case_insensitive_and_space_is_allowed() -> None:
    found = parse_range("Bytes= 0-9 ", 100)
    assert found is not None
    assert found.length == 10


def test_if_range_compares_strongly() -> None:
    assert range_applies(None, '"a"')
    assert range_applies('"a"', '"a"')
    assert not range_applies('W/"a"', '"a"')
    assert not range_applies('"b"', '"a"')
    assert not range_applies("Wed, 21 Oct 2026 07:28:00 GMT", '"a"')


def test_if_none_match_compares_weakly_and_knows_lists() -> None:
    assert not none_match(None, '"a"')
    assert none_match("*", '"a"')
    assert none_match('"b", W/"a"', '"a"')
    assert not none_match('"b", "aa"', '"a"')
