"""Redundant audio by RFC 2198: what is inside is found, and nonsense is none."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from media.rtp.red import Block, payload_type_of, unpack


def pack(blocks: list[tuple[int, int, bytes]]) -> bytes:
    """Oldest first, the primary last."""
    heads = [
        struct.pack(">I", (0x80 | pt) << 24 | behind << 10 | len(data)) for pt, behind, data in blocks[:-1]
    ]
    return b"".join(heads) + bytes((blocks[-1][0],)) + b"".join(data for *_, data in blocks)


@given(
    st.lists(st.tuples(st.integers(0, 127), st.integers(0, 0x3FFF), st.binary(max_size=300)), max_size=4),
    st.binary(max_size=900),
)
def test_every_block_comes_back(older: list[tuple[int, int, bytes]], primary: bytes) -> None:
    blocks = [*older, (111, 0, primary)]
    assert unpack(pack(blocks)) == [Block(*block) for block in blocks]


@given(st.binary(max_size=40))
def test_nonsense_is_no_exception(payload: bytes) -> None:
    found = unpack(payload)
    assert found is None or found[-1].behind == 0


def test_lengths_that_do_not_hold_are_refused() -> None:
    whole = pack([(111, 960, b"older"), (111, 0, b"now")])
    assert all(unpack(whole[:n]) is None for n in range(5))
    assert unpack(struct.pack(">I", 0xEF << 24 | 960 << 10 | 9) + b"\x6fshort") is None


def test_a_track_names_its_payload_type() -> None:
    assert payload_type_of("audio/opus;red=63") == 63
    assert [
        payload_type_of(m) for m in ("audio/opus", "video/VP8", "audio/opus;red=", "audio/opus;red=-1")
    ] == [-1] * 4
