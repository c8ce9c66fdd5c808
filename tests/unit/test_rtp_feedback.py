"""RTCP bytes, transport-wide feedback and the list of missing packets."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtcpPacket as AiortcPacket
from aiortc.rtp import RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket, unpack_remb_fci
from hypothesis import given, settings
from hypothesis import strategies as st

from media.rtp import rtcp
from media.rtp.nack import MAX_MISSING, NEVER, MissingPackets
from media.rtp.twcc import INTERVAL_NS, TransportFeedback

MS = 1_000_000
U32 = st.integers(0, 0xFFFFFFFF)
BLOCK = st.builds(
    rtcp.ReportBlock,
    U32,
    st.integers(0, 255),
    st.integers(-0x800000, 0x7FFFFF),
    U32,
    U32,
    U32,
    U32,
)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_compound_makes_a_parser_raise(compound: bytes) -> None:
    for part in rtcp.split(compound):
        rtcp.parse_sender_info(part)
        rtcp.parse_reports(part)
        rtcp.parse_media_ssrc(part)
        assert len(rtcp.parse_nack(part)) <= 512
        rtcp.parse_keyframe_requests(part)
        rtcp.parse_remb(part)
        rtcp.parse_bye(part)


@settings(deadline=None)
@given(st.integers(0, 31), st.sampled_from([200, 201, 202, 203, 205, 206]), st.binary(max_size=100))
def test_well_framed_rubbish_is_read_without_raising(count: int, kind: int, body: bytes) -> None:
    body += bytes(-len(body) % 4)
    compound = struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
    parts = list(rtcp.split(compound))
    assert len(parts) == 1
    test_no_compound_makes_a_parser_raise.hypothesis.inner_test(compound)  # type: ignore[attr-defined]


def test_a_lying_length_ends_the_compound_and_what_came_before_stands() -> None:
    good = rtcp.build_pli(1, 2)
    liar = struct.pack("!BBH", 0x81, 206, 50) + bytes(8)
    assert [part.type for part in rtcp.split(good + liar + good)] == [206]


@pytest.mark.parametrize("padding", [0, 3, 200])
def test_wrong_padding_ends_the_compound(padding: int) -> None:
    packet = bytearray(rtcp.build_pli(1, 2))
    packet[0] |= 0x20
    packet[-1] = padding
    assert list(rtcp.split(bytes(packet))) == []


@settings(deadline=None)
@given(
    st.builds(rtcp.SenderInfo, U32, st.integers(0, (1 << 64) - 1), U32, U32, U32),
    st.lists(BLOCK, max_size=31),
)
def test_a_sender_report_comes_back_as_it_was_written(
    info: rtcp.SenderInfo, blocks: list[rtcp.ReportBlock]
) -> None:
    part = next(rtcp.split(rtcp.build_sender_report(info, blocks)))
    assert rtcp.parse_sender_info(part) == info
    assert rtcp.parse_reports(part) == blocks


@settings(deadline=None)
@given(U32, st.lists(BLOCK, max_size=31))
def test_a_receiver_report_comes_back_as_it_was_written(ssrc: int, blocks: list[rtcp.ReportBlock]) -> None:
    part = next(rtcp.split(rtcp.build_receiver_report(ssrc, blocks)))
    assert rtcp.parse_reports(part) == blocks


@settings(deadline=None)
@given(st.integers(0, 0xFFFF), st.sets(st.integers(0, 400), min_size=1, max_size=200))
def test_a_nack_names_exactly_what_is_missing(base: int, steps: set[int]) -> None:
    numbers = [base + 0x10000 + step for step in sorted(steps)]
    packet = rtcp.build_nack(1, 2, numbers)
    assert rtcp.parse_nack(next(rtcp.split(packet))) == [number & 0xFFFF for number in numbers]
    (other,) = AiortcPacket.parse(packet)
    assert isinstance(other, RtcpRtpfbPacket)
    # aiortc does not wrap the numbers of the bit mask at 2^16.
    assert {number & 0xFFFF for number in other.lost} == {number & 0xFFFF for number in numbers}


@settings(deadline=None)
@given(st.integers(0, (1 << 40) - 1), st.lists(U32, max_size=20))
def test_an_estimate_comes_back_within_its_precision(bitrate: int, ssrcs: list[int]) -> None:
    packet = rtcp.build_remb(1, bitrate, ssrcs)
    remb = rtcp.parse_remb(next(rtcp.split(packet)))
    assert remb is not None
    assert remb.ssrcs == tuple(ssrcs)
    assert bitrate * (1 - 1 / 0x20000) <= remb.bitrate <= bitrate
    (other,) = AiortcPacket.parse(packet)
    assert isinstance(other, RtcpPsfbPacket)
    assert unpack_remb_fci(other.fci) == (remb.bitrate, ssrcs)


def test_what_is_built_is_read_by_another_library() -> None:
    block = rtcp.ReportBlock(5, 64, -3, 70_000, 9, 10, 11)
    report = rtcp.build_receiver_report(1, [block]) + rtcp.build_sdes(1, "hyeopjin")
    sender = rtcp.build_sender_report(rtcp.SenderInfo(1, 2 << 32, 3, 4, 5))
    parts = AiortcPacket.parse(report + sender + rtcp.build_bye([1, 2]) + rtcp.build_pli(1, 5))
    assert isinstance(parts[0], RtcpRrPacket)
    assert (parts[0].reports[0].fraction_lost, parts[0].reports[0].packets_lost) == (64, -3)
    assert parts[1].chunks[0].items == [(1, b"hyeopjin")]
    assert isinstance(parts[2], RtcpSrPacket)
    assert parts[2].sender_info.ntp_timestamp == 2 << 32
    assert parts[3].sources == [1, 2]
    assert (parts[4].fmt, parts[4].media_ssrc) == (1, 5)


def test_both_ways_of_asking_for_a_key_frame_are_understood() -> None:
    compound = rtcp.build_pli(1, 5) + rtcp.build_fir(1, 6, 300)
    assert [s for part in rtcp.split(compound) for s in rtcp.parse_keyframe_requests(part)] == [5, 6]
    assert [s for part in rtcp.split(rtcp.build_bye([7, 8])) for s in rtcp.parse_bye(part)] == [7, 8]


def read_feedback(packet: bytes) -> tuple[int, dict[int, int]]:
    """A reader of its own after section 3.1 of the draft: (feedback count, {number: 250-us ticks or -1})."""
    first, kind, words = struct.unpack_from("!BBH", packet)
    assert (first, kind, len(packet)) == (0x8F, 205, 4 + 4 * words)
    base, count, reference = struct.unpack_from("!HHI", packet, 12)
    at = 20
    symbols: list[int] = []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", packet, at)
        at += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13] * (chunk & 0x1FFF)
        elif not chunk & 0x4000:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
        else:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
    ticks = (reference >> 8) * 256
    found = {}
    for index, symbol in enumerate(symbols[:count]):
        if symbol == 0:
            found[base + index & 0xFFFF] = -1
            continue
        if symbol == 1:
            delta, size = packet[at], 1
        else:
            delta, size = struct.unpack_from("!h", packet, at)[0], 2
        at += size
        ticks += delta
        found[base + index & 0xFFFF] = ticks
    assert len(packet) - at < 4
    assert not any(packet[at:])
    return reference & 0xFF, found


@settings(deadline=None)
@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(1, 40), st.integers(0, 200_000)), min_size=1, max_size=150),
)
def test_feedback_tells_every_arrival_and_every_gap(base: int, steps: list[tuple[int, int]]) -> None:
    feedback = TransportFeedback()
    at_ns = 5_000 * MS
    number = base
    arrivals: dict[int, int] = {}
    for step, wait_us in steps:
        number += step
        at_ns += wait_us * 1000
        feedback.arrived(number & 0xFFFF, at_ns)
        arrivals[number & 0xFFFF] = at_ns // 250_000
    told: dict[int, int] = {}
    for index, packet in enumerate(feedback.build(at_ns, 1, 2)):
        count, found = read_feedback(packet)
        assert count == index
        told |= found
    assert {sequence: ticks for sequence, ticks in told.items() if ticks >= 0} == arrivals
    first, last = base + steps[0][0], number
    assert set(told) == {sequence & 0xFFFF for sequence in range(first, last + 1)}


@given(
    st.integers(0, 0xFFFF), st.lists(st.integers(0, 70 * MS), min_size=1, max_size=120), st.integers(1, 40)
)
def test_what_came_in_order_is_told_the_same_by_the_short_and_by_the_long_way(
    base: int, waits: list[int], every: int
) -> None:
    short, long = TransportFeedback(), TransportFeedback()
    now = 5_000_000 * MS
    for number, wait in enumerate(waits):
        now += wait
        for feedback in (short, long):
            feedback.arrived(base + number & 0xFFFF, now)
        if number % every == 0:
            long._straight = False
            assert short.build(now, 1, 2) == long.build(now, 1, 2)
    assert (short.sent, short._highest, short._start, short._end, short._previous) == (
        long.sent, long._highest, long._start, long._end, long._previous,
    )  # fmt: skip


def test_feedback_goes_on_where_it_ended_and_tells_late_packets() -> None:
    feedback = TransportFeedback()
    for number in (10, 11, 13):
        feedback.arrived(number, 100 * MS + number * MS)
    _, found = read_feedback(feedback.build(150 * MS, 1, 2)[0])
    assert [found[number] >= 0 for number in range(10, 14)] == [True, True, False, True]
    feedback.arrived(12, 160 * MS)
    feedback.arrived(15, 161 * MS)
    _, found = read_feedback(feedback.build(200 * MS, 1, 2)[0])
    assert {number: ticks >= 0 for number, ticks in found.items()} == {
        12: True,
        13: True,
        14: False,
        15: True,
    }
    assert feedback.build(300 * MS, 1, 2) == []
    assert feedback.due_ns == 300 * MS + INTERVAL_NS


def test_a_long_silence_begins_another_feedback_packet() -> None:
    feedback = TransportFeedback()
    feedback.arrived(1, 0)
    feedback.arrived(2, 60_000 * MS)
    packets = feedback.build(60_000 * MS, 1, 2)
    assert len(packets) == 2
    assert read_feedback(packets[1])[1] == {2: 240_000}


def test_a_sender_that_starts_anew_is_followed() -> None:
    feedback = TransportFeedback()
    feedback.arrived(1, 0)
    feedback.arrived(20_000, MS)
    (packet,) = feedback.build(2 * MS, 1, 2)
    assert read_feedback(packet)[1] == {20_000: 4}


def missing_after_gap(now_ns: int = 0) -> MissingPackets:
    missing = MissingPackets()
    assert not missing.gap(100, 103, now_ns)
    return missing


def test_a_missing_packet_is_asked_for_after_ten_ms_and_two_packets() -> None:
    missing = missing_after_gap()
    assert missing.due(9 * MS, 110, 50 * MS) == ([], 0)
    assert missing.due(10 * MS, 103, 50 * MS) == ([100, 101], 0)
    assert missing.due(20 * MS, 103, 50 * MS) == ([], 0)
    assert missing.due(50 * MS, 103, 50 * MS) == ([102], 0)


def test_it_is_asked_for_again_every_round_trip_and_a_quarter_six_times_then_given_up() -> None:
    missing = MissingPackets()
    missing.gap(7, 8, 0)
    asked = []
    given_up = 0
    now_ns = 0
    while len(missing):
        now_ns = missing.next_due_ns
        numbers, lost = missing.due(now_ns, 50, 80 * MS)
        given_up += lost
        asked += [now_ns // MS for _ in numbers]
    assert asked == [10, 110, 210, 310, 410, 510]
    assert given_up == 1
    assert now_ns == 610 * MS
    assert missing.next_due_ns == NEVER


def test_with_a_long_round_trip_a_second_is_the_limit() -> None:
    missing = MissingPackets()
    missing.gap(7, 8, 0)
    now_ns = tries = 0
    while len(missing):
        now_ns = missing.next_due_ns
        tries += len(missing.due(now_ns, 50, 400 * MS)[0])
    assert tries == 2 + (1_010 - 420) // 30 + 1
    assert now_ns <= 1_510 * MS


def test_over_a_long_way_each_request_goes_twice_and_on_and_on_once_its_answer_is_late() -> None:
    missing = MissingPackets()
    missing.gap(7, 8, 0)
    asked = []
    while len(missing):
        now_ns = missing.next_due_ns
        asked += [now_ns // MS for _ in missing.due(now_ns, 50, 160 * MS)[0]]
    assert asked == [10, 40, *range(180, 1010, 30)], asked
    missing.gap(7, 8, 0)
    for now_ns in (10 * MS, 40 * MS):
        assert missing.due(now_ns, 50, 160 * MS) == ([7], 0)
    assert missing.received(7, 200 * MS) == 190 * MS, "an answer is counted from the first"


def test_a_packet_that_only_came_late_is_not_asked_for() -> None:
    missing = missing_after_gap()
    assert missing.received(101, 5 * MS) == 0
    assert missing.received(101, 5 * MS) == -1
    assert missing.due(60 * MS, 110, 50 * MS) == ([100, 102], 0)
    assert missing.received(100, 90 * MS) == 30 * MS
    assert missing.received(102, 90 * MS) == 30 * MS
    assert missing.next_due_ns == NEVER


def test_too_long_a_gap_is_a_matter_for_a_key_frame() -> None:
    missing = MissingPackets()
    assert missing.gap(0, MAX_MISSING + 1, 0)
    assert len(missing) == 0
    assert missing.next_due_ns == NEVER


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 100)), max_size=60))
def test_the_missing_list_never_asks_too_often_nor_grows_without_end(steps: list[tuple[int, int]]) -> None:
    missing = MissingPackets()
    asked: dict[int, int] = {}
    number, now_ns = 0, 0
    for gap, wait_ms in steps:
        missing.gap(number + 1, number + gap, now_ns)
        number += gap
        now_ns += wait_ms * MS
        for sequence in missing.due(now_ns, number, 30 * MS)[0]:
            asked[sequence] = asked.get(sequence, 0) + 1
        assert len(missing) <= MAX_MISSING
    assert all(count <= 6 for count in asked.values())
