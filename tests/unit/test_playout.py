"""Receivers are told to hold pictures back while a line's repairs come late, and only then."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import EXT_PLAYOUT_DELAY
from media.playout import MOST_MS, Lateness, Playout
from media.rtp import rtcp
from media.rtp.packets import find_extension, payload_offset, with_playout_delay
from tests.support.outbox import MS, Outbox, Stage, extensions, fields

S = 1000 * MS
FAR = 150 * MS


def test_one_repair_is_an_accident_and_some_in_a_row_are_a_lossy_line_for_half_a_minute() -> None:
    late = Lateness()
    assert late.ns(1, FAR, 1 * S) == 0
    assert late.ns(1, FAR, 2 * S) == 0
    assert late.ns(3, FAR, 3 * S) == FAR * 5 // 4 + 100 * MS
    after = [late.ns(3, FAR, second * S) > 0 for second in range(4, 40)]
    assert after.index(False) == 30, "the level sank below what is a lossy line a second later"
    assert not any(after[30:])


def test_repairs_of_a_near_line_are_never_late() -> None:
    late = Lateness()
    assert [late.ns(10 * second, 20 * MS, second * S) for second in range(1, 5)] == [0] * 4


def test_a_receiver_is_told_more_at_once_and_less_only_when_it_is_worth_the_jerk() -> None:
    playout = Playout()
    told = []
    for late_ms in (0, 180, 210, 190, 120, 90, 0, 4000):
        playout.want(late_ms * MS)
        told.append(playout.least_ms)
    assert told == [0, 200, 250, 250, 150, 150, 0, MOST_MS]


def delays(outbox: Outbox) -> list[int]:
    """ms told in each packet of the camera, -1 where nothing is."""
    found = []
    for packet in outbox.rtp:
        if fields(packet)[3] == 200:
            value = find_extension(packet, EXT_PLAYOUT_DELAY)
            found.append(-1 if value is None else (value[0] << 4 | value[1] >> 4) * 10)
    return found


class Line(Stage):
    """A camera at 20 pictures a second whose every tenth packet is lost and repaired a round trip later."""

    def __init__(self, rtt_ms: int) -> None:
        super().__init__("s")
        self.publisher.round_trip_ns = rtt_ms * MS
        self.number = 0
        self.repair = False

    def play(self, seconds: float, *, lossy: bool) -> None:
        for _ in range(int(seconds * 20)):
            self.number += 1
            if lossy and self.number % 10 == 5:
                lost = self.number
                self.time.call_later(0.2, lambda lost=lost: self._repair(lost))  # type: ignore[misc]
            else:
                self.video(self.number, key=self.number == 1)
            self.time.advance(50)
            if self.number % 2 == 0:
                self.relay.tick(self.time.now_ns)

    def _repair(self, number: int) -> None:
        payload = struct.pack("!H", number) + b"\x10\x01" + struct.pack("!H", number)
        self.rtp(97, 10_000 + number, number * 3000, 21, payload)


def test_a_far_senders_losses_make_receivers_hold_its_pictures_back() -> None:
    line = Line(150)
    line.play(3, lossy=False)
    assert set(delays(line.subscribers[0])) == {-1}, "nothing is lost, nothing is told"
    line.play(4, lossy=True)
    told = [ms for ms in delays(line.subscribers[0]) if ms >= 0]
    assert set(told) == {300}
    assert 4 <= len(told) <= 7, "three times, and then once a second"
    assert line.relay.counters.packets_recovered >= 6
    line.subscribers[0].rtp.clear()
    line.play(40, lossy=False)
    told = [ms for ms in delays(line.subscribers[0]) if ms >= 0]
    assert told[-3:] == [0, 0, 0]
    assert told.index(0) == len(told) - 3, "and then no more"


def test_what_a_near_sender_loses_is_repaired_before_anybody_sees_it() -> None:
    line = Line(20)
    line.play(5, lossy=True)
    assert line.relay.counters.packets_recovered >= 8
    assert set(delays(line.subscribers[0])) == {-1}


def test_a_receivers_own_losses_hold_its_pictures_back_and_nobody_elses() -> None:
    line = Line(20)
    other = line.join_subscriber("t")
    line.play(1, lossy=False)
    for outbox in (line.subscribers[0], other):
        assert outbox.sink is not None
    line.from_publisher(rtcp.build_sender_report(rtcp.SenderInfo(20, 9 << 32, 3000, 1, 2)))
    line.time.advance(200)
    report = rtcp.build_receiver_report(9, [rtcp.ReportBlock(200, 9, 0, 1, 0, 9 << 16, 0)])
    line.from_subscriber(report)
    for _ in range(3):
        numbers = [fields(p)[1] for p in line.subscribers[0].rtp if fields(p)[3] == 200][-2:]
        line.from_subscriber(rtcp.build_nack(1, 200, numbers))
        line.play(1, lossy=False)
    assert max(delays(line.subscribers[0])) == 350, "a round trip of 200 ms"
    assert set(delays(other)) == {-1}


def test_only_a_picture_s_first_packet_is_changed_and_the_rest_of_it_stays() -> None:
    line = Line(150)
    line.play(4, lossy=True)
    for packet in line.subscribers[0].rtp:
        if fields(packet)[3] == 200 and packet[0] & 0x10:
            assert packet[payload_offset(packet)] & 0x10


@pytest.mark.parametrize("head", [b"", extensions({2: b"abc", 7: b"\1"})])
def test_the_element_stands_behind_the_others(head: bytes) -> None:
    packet = struct.pack("!BBHII", 0x90 if head else 0x80, 96, 1, 2, 3) + head + b"\x10vp8"
    told = with_playout_delay(packet, 250)
    assert told[payload_offset(told) :] == b"\x10vp8"
    assert find_extension(told, EXT_PLAYOUT_DELAY) == bytes((0x01, 0x9F, 0xFF))
    if head:
        assert find_extension(told, 2) == b"abc"
        assert find_extension(told, 7) == b"\1"


@given(st.integers(0x80, 0xBF), st.binary(min_size=11, max_size=60))
def test_any_packet_is_told_or_left_alone(first: int, rest: bytes) -> None:
    packet = bytes((first,)) + rest
    told = with_playout_delay(packet, 100)
    assert told == packet or len(told) in (len(packet) + 4, len(packet) + 8)
