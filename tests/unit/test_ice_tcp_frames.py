"""RFC 4571 framing: however a stream is cut into pieces its frames come out whole; no bytes make it raise."""

from __future__ import annotations

import itertools
import struct
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from media.ice.tcp import MAX_FRAME_BYTES, TcpPath


class Frames:
    """The hub's side of a connection, keeping what it is given."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.frames: list[bytes] = []

    def tcp_unproven(self, host: str) -> tuple[int, int]:
        return 0, 0

    def tcp_opened(self, path: TcpPath) -> None:
        """Nobody counts here."""

    def tcp_closed(self, path: TcpPath) -> None:
        """Nobody counts here."""

    def take_frame(self, path: TcpPath, frame: bytes) -> bool:
        self.frames.append(frame)
        return True


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    at = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in itertools.pairwise(at)]


@given(
    st.lists(st.binary(max_size=MAX_FRAME_BYTES), max_size=6), st.lists(st.integers(0, 10_000), max_size=20)
)
def test_frames_come_out_whole_however_the_stream_was_cut(frames: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(struct.pack("!H", len(frame)) + frame for frame in frames)
    hub = Frames()
    path = TcpPath(hub)
    for piece in pieces(stream, cuts):
        path.data_received(piece)
    assert hub.frames == frames
    assert not hub.counters


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_no_bytes_raise_and_no_frame_is_longer_than_a_packet_may_be(stream: list[bytes]) -> None:
    hub = Frames()
    path = TcpPath(hub)
    for piece in stream:
        path.data_received(piece)
        assert len(path._buffer) <= MAX_FRAME_BYTES + 2 + len(piece)
    assert all(len(frame) <= MAX_FRAME_BYTES for frame in hub.frames)


def test_a_frame_that_claims_too_much_ends_the_connection_and_is_counted() -> None:
    hub = Frames()
    TcpPath(hub).data_received(struct.pack("!H", MAX_FRAME_BYTES + 1) + bytes(10))
    assert hub.counters["tcp_frame"] == 1
    assert hub.frames == []
