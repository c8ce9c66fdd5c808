"""The packet path: what is sent arrives rewritten, what lies is dropped, nothing raises."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from media.aiortc_seam import PROFILES, SrtpKeys
from media.ports import SPARE
from media.srtp import MAX_PACKET_BYTES, MAX_SSRCS, SrtpPath, plausible_rtp


class Line:
    """Two ends with the same keys; what the first sends, the second receives."""

    def __init__(self) -> None:
        self.wire: list[bytes] = []
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.up = True
        there = self._session(Policy.SSRC_ANY_OUTBOUND, 1), self._session(Policy.SSRC_ANY_INBOUND, 1)
        back = self._session(Policy.SSRC_ANY_OUTBOUND, 2), self._session(Policy.SSRC_ANY_INBOUND, 2)
        self.sender = SrtpPath(SrtpKeys(back[1], there[0], "x"), self._out)
        self.receiver = SrtpPath(SrtpKeys(there[1], back[0], "x"), self._out)

    @staticmethod
    def _session(ssrc_type: int, seed: int) -> Session:
        policy = Policy(key=bytes([seed]) * 44, ssrc_type=ssrc_type, srtp_profile=PROFILES[0].libsrtp_profile)
        policy.window_size = 1024
        return Session(policy)

    def _out(self, data: memoryview) -> bool:
        self.wire.append(bytes(data))
        return self.up

    def on_rtp(self, packet: bytes, at_ns: int) -> None:
        self.rtp.append(packet)

    def on_rtcp(self, packet: bytes, at_ns: int) -> None:
        self.rtcp.append(packet)

    def carry(self) -> list[bool]:
        taken = [self.receiver.receive(memoryview(data), self, 5) for data in self.wire]
        self.wire.clear()
        return taken


@pytest.fixture
def line() -> Line:
    return Line()


def rtp(first: int = 0x80, second: int = 0xEF, rest: bytes = b"payload") -> bytes:
    return struct.pack("!BBHII", first, second, 1, 2, 3) + rest


def test_forwarding_rewrites_the_header_and_keeps_marker_and_payload(line: Line) -> None:
    original = rtp()
    line.sender.forward(original, 96, 70000, 2**32 + 9, 2**32 + 7)
    assert line.carry() == [True]
    assert line.rtp == [struct.pack("!BBHII", 0x80, 0x80 | 96, 70000 & 0xFFFF, 9, 7) + b"payload"]
    assert original == rtp()


def test_a_packet_can_be_protected_where_it_lies(line: Line) -> None:
    second = struct.pack("!BBHII", 0x80, 111, 2, 2, 3) + b"second"
    line.sender.send(bytearray(rtp()) + bytearray(SPARE), len(rtp()))
    line.sender.send(memoryview(bytearray(second) + bytearray(SPARE)), len(second))
    assert line.carry() == [True, True]
    assert line.rtp == [rtp(), second]


def test_rtcp_goes_through(line: Line) -> None:
    compound = struct.pack("!BBHI", 0x80, 201, 1, 7)
    line.sender.send_rtcp(compound)
    assert line.carry() == [True]
    assert line.rtcp == [compound]


def test_a_replay_is_dropped(line: Line) -> None:
    line.sender.forward(rtp(), 96, 1, 1, 1)
    line.wire *= 3
    assert line.carry() == [True, False, False]


def test_a_peer_has_a_limited_number_of_streams_and_the_known_ones_live_on(line: Line) -> None:
    for ssrc in range(MAX_SSRCS + 10):
        line.sender.forward(rtp(), 96, 1, 1, ssrc)
    line.sender.forward(rtp(), 96, 2, 1, 0)
    line.sender.send_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 5))
    line.sender.send_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 5000))
    assert line.carry() == [True] * MAX_SSRCS + [False] * 10 + [True, True, False]


def test_what_is_too_long_or_too_short_is_counted_and_dropped(line: Line) -> None:
    line.sender.forward(bytes(11), 96, 1, 1, 1)
    line.sender.forward(bytes(MAX_PACKET_BYTES + 1), 96, 1, 1, 1)
    line.sender.send(bytearray(20), 20)
    line.sender.send(bytearray(20), 5)
    line.sender.send_rtcp(b"")
    line.sender.send_rtcp(bytes(3000))
    assert line.wire == []
    assert line.sender.dropped_out == 6


def test_a_full_socket_counts_as_dropped(line: Line) -> None:
    line.up = False
    line.sender.forward(rtp(), 96, 1, 1, 1)
    line.sender.send_rtcp(bytes([0x80, 201, 0, 1, 0, 0, 0, 7]))
    assert (line.sender.packets_out, line.sender.dropped_out) == (0, 2)


@pytest.mark.parametrize(
    "packet",
    [
        rtp(0x8F),
        rtp(0x90, rest=struct.pack("!HH", 0xBEDE, 2) + b"1234"),
        rtp(0x90, rest=b"12"),
        rtp(0xA0, rest=b"p\xff"),
        rtp(0xA0, rest=b"p\x00"),
    ],
)
def test_lengths_past_the_end_are_implausible(packet: bytes) -> None:
    assert not plausible_rtp(packet, len(packet))


@pytest.mark.parametrize(
    "packet",
    [
        rtp(),
        rtp(rest=b""),
        rtp(0x81, rest=b"csrc"),
        rtp(0x90, rest=struct.pack("!HH", 0xBEDE, 1) + b"1234"),
        rtp(0xA0, rest=b"pad\x04"),
        rtp(0xB2, rest=b"csrccsrc" + struct.pack("!HH", 0xBEDE, 0) + b"\x01"),
    ],
)
def test_packets_whose_parts_fit_are_plausible(packet: bytes) -> None:
    assert plausible_rtp(packet, len(packet))


@given(st.binary(max_size=1600))
def test_no_datagram_raises_or_reaches_the_sink_unsigned(data: bytes) -> None:
    line = Line()
    assert not line.receiver.receive(memoryview(data), line, 0)
    assert line.rtp == line.rtcp == []


@given(st.binary(max_size=1600), st.integers(), st.integers(), st.integers(), st.integers())
def test_forwarding_anything_never_raises(data: bytes, pt: int, seq: int, timestamp: int, ssrc: int) -> None:
    line = Line()
    line.sender.forward(data, pt, seq, timestamp, ssrc)
    line.sender.send_rtcp(data)
    line.carry()
