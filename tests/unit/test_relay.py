"""The relay: numbers on the way to a subscriber, repairs on both sides, key frames, reports."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.rtp import rtcp
from media.rtp.packets import find_extension
from tests.support.outbox import MS, Outbox, Stage, fields


def of(outbox: Outbox, ssrc: int) -> list[tuple[int, int, int, int]]:
    return [fields(packet) for packet in outbox.rtp if fields(packet)[3] == ssrc]


def payloads(outbox: Outbox, ssrc: int) -> list[bytes]:
    return [packet[12:] for packet in outbox.rtp if fields(packet)[3] == ssrc]


def sent(outbox: Outbox, kind: int, form: int) -> list[rtcp.RtcpPacket]:
    return [
        part
        for packet in outbox.rtcp
        for part in rtcp.split(packet)
        if (part.type, part.format) == (kind, form)
    ]


def plis(outbox: Outbox) -> int:
    return len(sent(outbox, rtcp.PSFB, rtcp.PLI_FORMAT))


def test_audio_reaches_everybody_at_once_with_numbers_of_its_own() -> None:
    stage = Stage("s", "t")
    for sequence in range(65_530, 65_546):
        stage.audio(sequence)
    for subscriber in stage.subscribers:
        got = of(subscriber, 100)
        first = got[0][1]
        assert first < 0x8000
        assert [sequence for _, sequence, _, _ in got] == list(range(first, first + 16))
        assert {pt for pt, *_ in got} == {111}
        assert all((later[2] - earlier[2]) & 0xFFFFFFFF == 960 for earlier, later in pairwise(got))
    assert len(of(stage.publisher, 100)) == 0


def test_video_waits_for_a_key_frame_and_asks_for_it() -> None:
    stage = Stage("s")
    stage.video(1)
    stage.video(2)
    assert plis(stage.publisher) == 0, "a stream mostly begins with one by itself"
    stage.time.advance(20)
    assert plis(stage.publisher) == 1
    assert of(stage.subscribers[0], 200) == []
    stage.video(3, key=True)
    stage.video(4)
    assert payloads(stage.subscribers[0], 200) == [b"\x10\x00\x00\x03", b"\x10\x01\x00\x04"]
    stage.time.advance(3000)
    assert plis(stage.publisher) == 1


def test_nothing_is_sent_before_the_subscriber_has_answered() -> None:
    stage = Stage()
    late = stage.join_subscriber("s", ready=False)
    stage.audio(1)
    stage.video(1, key=True)
    assert late.rtp == []
    for delivery in late.deliveries.values():
        delivery.ready = True
    assert late.sink is not None
    late.sink.on_negotiated()
    stage.audio(2)
    assert len(of(late, 100)) == 1


def test_requests_for_key_frames_are_coalesced_and_the_last_is_never_lost() -> None:
    stage = Stage("s", "t")
    stage.video(1, key=True)
    before = plis(stage.publisher)
    pli = rtcp.build_pli(1, 200)
    for _ in range(5):
        stage.from_subscriber(pli, 0)
        stage.from_subscriber(pli, 1)
        stage.time.advance(20)
        stage.video(2)
    assert plis(stage.publisher) == before + 1
    stage.time.advance(450)
    assert plis(stage.publisher) == before + 2
    stage.video(3, key=True)
    stage.time.advance(2000)
    assert plis(stage.publisher) == before + 2


def test_a_key_frame_that_does_not_come_is_asked_for_again() -> None:
    stage = Stage("s")
    for sequence in range(40):
        stage.video(sequence)
        stage.time.advance(50)
    assert 3 <= plis(stage.publisher) <= 5


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 0xFFFF), st.data())
def test_losses_and_late_packets_keep_their_places(start: int, data: st.DataObject) -> None:
    count = 40
    order = list(range(1, count))
    for _ in range(data.draw(st.integers(0, 8))):
        index = data.draw(st.integers(0, len(order) - 2))
        order[index], order[index + 1] = order[index + 1], order[index]
    lost = data.draw(st.sets(st.integers(1, count - 1), max_size=10))
    stage = Stage("s")
    for index in [0, *(index for index in order if index not in lost)]:
        stage.audio(start + index, payload=bytes([index]))
    got = [(fields(packet)[1], packet[12]) for packet in stage.subscribers[0].rtp]
    base = got[0][0]
    assert all(sequence == (base + index) & 0xFFFF for sequence, index in got)
    assert {index for _, index in got} == set(range(count)) - lost


@pytest.mark.parametrize("jump", [0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_timestamp_that_jumps_is_forwarded_modulo_its_field(jump: int) -> None:
    stage = Stage("s")
    for sequence, timestamp in enumerate((0, jump, 0)):
        stage.rtp(111, sequence, timestamp, 10, b"opus")
    got = [fields(packet)[2] for packet in stage.subscribers[0].rtp]
    assert [(stamp - got[0]) & 0xFFFFFFFF for stamp in got] == [0, jump, 0]


def test_numbers_that_pass_the_end_of_their_field_are_forwarded_modulo_it() -> None:
    stage = Stage("s")
    for sequence in range(0, 0x20000, 2900):
        stage.audio(sequence)
        stage.audio(sequence + 1)
    got = [fields(packet)[1] for packet in stage.subscribers[0].rtp]
    assert len(got) > 40
    assert any(later < earlier for earlier, later in pairwise(got)), "the numbers passed the end"
    assert max((later - earlier) & 0xFFFF for earlier, later in pairwise(got)) < 3000


def test_a_duplicate_goes_no_further() -> None:
    stage = Stage("s")
    for sequence in (1, 2, 2, 1, 3):
        stage.audio(sequence)
    assert len(of(stage.subscribers[0], 100)) == 3


def test_a_new_connection_of_the_source_continues_the_numbers() -> None:
    stage = Stage("s")
    stage.video(10, key=True)
    stage.video(11)
    stage.audio(500)
    stage.time.advance(1000)
    stage.publisher = stage.join_publisher(audio=30, camera=40)
    stage.audio(9, ssrc=30)
    stage.video(3000, ssrc=40)
    stage.video(3001, ssrc=40, key=True)
    stage.video(3002, ssrc=40)
    video = of(stage.subscribers[0], 200)
    base = video[0][1]
    assert [sequence - base for _, sequence, _, _ in video] == [0, 1, 2, 3]
    assert video[2][2] - video[1][2] == 90_000
    audio = of(stage.subscribers[0], 100)
    assert (audio[1][1] - audio[0][1], audio[1][2] - audio[0][2]) == (1, 48_000)


def test_a_subscriber_that_comes_back_keeps_its_numbers() -> None:
    stage = Stage("s")
    stage.audio(1)
    sink = stage.subscribers[0].sink
    assert sink is not None
    sink.on_state("disconnected")
    stage.audio(2)
    sink.on_state("connected")
    stage.audio(3)
    got = of(stage.subscribers[0], 100)
    assert [sequence - got[0][1] for _, sequence, _, _ in got] == [0, 1]


def test_an_uplink_gap_is_asked_for_by_the_timer_and_healed_by_rtx() -> None:
    stage = Stage("s")
    stage.video(1, key=True)
    stage.video(2)
    for sequence in (5, 6):
        stage.video(sequence)
    assert sent(stage.publisher, rtcp.RTPFB, rtcp.NACK_FORMAT) == []
    stage.time.advance(10.1)
    (nack,) = sent(stage.publisher, rtcp.RTPFB, rtcp.NACK_FORMAT)
    assert rtcp.parse_media_ssrc(nack) == 20
    assert rtcp.parse_nack(nack) == [3, 4]
    stage.rtp(97, 900, 9000, 21, struct.pack("!H", 3) + b"\x10\x01\x00\x03")
    got = [
        (sequence, packet[12:])
        for packet in stage.subscribers[0].rtp
        for _, sequence, _, _ in [fields(packet)]
    ]
    assert got[-1] == (got[0][0] + 2, b"\x10\x01\x00\x03")
    stage.time.advance(2000)
    asked = [n for p in sent(stage.publisher, rtcp.RTPFB, rtcp.NACK_FORMAT)[1:] for n in rtcp.parse_nack(p)]
    assert set(asked) == {4}
    assert 4 <= len(asked) <= 5


def test_a_loss_given_up_asks_for_a_key_frame() -> None:
    stage = Stage("s")
    stage.video(1, key=True)
    stage.time.advance(600)
    stage.video(3)
    before = plis(stage.publisher)
    for sequence in range(4, 34):
        stage.time.advance(50)
        stage.video(sequence)
    assert plis(stage.publisher) > before


def test_a_far_publisher_is_asked_again_only_when_its_answer_could_have_come() -> None:
    stage = Stage("s")
    stage.publisher.round_trip_ns = 300 * MS
    stage.audio(1)
    stage.time.advance(1000)
    stage.relay.tick(stage.time.now_ns)
    for sequence in (3, 4):
        stage.audio(sequence)
    stage.time.advance(300)
    assert len(sent(stage.publisher, rtcp.RTPFB, rtcp.NACK_FORMAT)) == 2, "once, and its echo"
    stage.audio(2)
    assert [f[1] - of(stage.subscribers[0], 100)[0][1] for f in of(stage.subscribers[0], 100)] == [0, 2, 3, 1]
    stage.audio(6)
    stage.time.advance(2000)
    asked = len(sent(stage.publisher, rtcp.RTPFB, rtcp.NACK_FORMAT))
    assert asked == 2 + 2 + 11, "again from when the answer was due, every 30 ms for one more round trip"


def test_rtx_of_what_is_not_missing_is_dropped() -> None:
    stage = Stage("s")
    stage.video(1, key=True)
    stage.rtp(97, 900, 3000, 21, struct.pack("!H", 1) + b"\x10\x00\x00\x01")
    stage.rtp(97, 901, 3000, 21, b"")
    assert len(stage.subscribers[0].rtp) == 1


def test_a_late_key_frame_start_opens_the_picture_with_all_that_followed() -> None:
    stage = Stage("s")
    stage.video(1)
    stage.video(3, first=False)
    stage.video(4)
    assert stage.subscribers[0].rtp == []
    stage.video(2, key=True)
    assert [payload[2:] for payload in payloads(stage.subscribers[0], 200)] == [b"\0\2", b"\0\3", b"\0\4"]
    first = of(stage.subscribers[0], 200)[0][1]
    assert [sequence - first for _, sequence, _, _ in of(stage.subscribers[0], 200)] == [0, 1, 2]


def test_a_subscribers_nack_is_answered_by_rtx_for_video_once_per_round_trip() -> None:
    stage = Stage("s")
    stage.video(1, key=True)
    stage.video(2)
    subscriber = stage.subscribers[0]
    missing = of(subscriber, 200)[1]
    nack = rtcp.build_nack(1, 200, [missing[1]])
    stage.from_subscriber(nack)
    stage.from_subscriber(nack)
    (answer,) = [packet for packet in subscriber.rtp if fields(packet)[3] == 201]
    assert fields(answer)[0] == 97
    assert fields(answer)[2] == missing[2]
    assert struct.unpack_from("!H", answer, 12)[0] == missing[1]
    assert answer[14:] == b"\x10\x01\x00\x02"
    stage.time.advance(101)
    stage.from_subscriber(nack)
    again = of(subscriber, 201)
    assert len(again) == 2
    assert again[1][1] == again[0][1] + 1


def test_a_far_subscriber_gets_each_retransmission_twice_unless_its_line_is_full() -> None:
    stage = Stage("s")
    stage.video(1, key=True)
    stage.from_publisher(rtcp.build_sender_report(rtcp.SenderInfo(20, 9 << 32, 3000, 1, 2)))
    subscriber = stage.subscribers[0]

    def answers() -> list[bytes]:
        """RTX for one NACK."""
        subscriber.rtp.clear()
        stage.from_subscriber(rtcp.build_nack(1, 200, [number]))
        assert len(of(subscriber, 201)) == 1
        stage.time.advance(200)
        return [packet for packet in subscriber.rtp if fields(packet)[3] == 201]

    def tell(lost: int) -> None:
        """Of 256, and that the round trip is what the clock says."""
        block = rtcp.ReportBlock(200, lost, 0, 1, 0, 9 << 16, 0)
        stage.from_subscriber(rtcp.build_receiver_report(9, [block]))

    number = of(subscriber, 200)[0][1]
    assert len(answers()) == 1, "nearby it is asked for again in time"
    tell(8)
    first, second = answers()
    assert fields(second)[1] == fields(first)[1] + 1, "another number, or the cipher would be broken"
    assert first[12:] == second[12:]
    tell(40)
    assert len(answers()) == 1
    tell(8)
    stage.from_subscriber(rtcp.build_nack(1, 200, [number]))
    subscriber.rtp.clear()
    stage.relay.detach("s")
    stage.time.advance(200)
    assert subscriber.rtp == [], "nothing goes to who has left"


def test_a_subscribers_audio_nack_is_answered_by_the_very_same_packet() -> None:
    stage = Stage("s")
    for sequence in range(5):
        stage.audio(sequence, payload=bytes([sequence]))
    subscriber = stage.subscribers[0]
    lost = subscriber.rtp[2]
    stage.from_subscriber(rtcp.build_nack(1, 100, [fields(lost)[1]]))
    assert subscriber.rtp[-1] == lost
    assert len(subscriber.rtp) == 6


TRANSPORT_CC = struct.pack("!HHBHB", 0xBEDE, 1, 0x31, 7, 0)
"""The header extension of nearly every video packet of a browser."""


def test_video_and_its_retransmissions_tell_when_they_were_sent_and_sound_stays_the_same() -> None:
    stage = Stage("s")
    stage.video(1, key=True, head=TRANSPORT_CC)
    stage.audio(1, head=TRANSPORT_CC)
    stage.time.advance(40)
    for ssrc in (100, 200):
        number = of(stage.subscribers[0], ssrc)[0][1]
        stage.from_subscriber(rtcp.build_nack(7, ssrc, [number]))

    def told(ssrc: int) -> list[bytes | None]:
        packets = [packet for packet in stage.subscribers[0].rtp if fields(packet)[3] == ssrc]
        return [find_extension(packet, 2) for packet in packets]

    (sent_at,), (resent_at,) = told(200), told(201)
    assert sent_at is not None
    assert resent_at is not None
    later = int.from_bytes(resent_at, "big") - int.from_bytes(sent_at, "big")
    assert later / (1 << 18) == pytest.approx(0.04, abs=1e-4)
    assert told(100) == [None, None]
    first, again = (packet for packet in stage.subscribers[0].rtp if fields(packet)[3] == 100)
    assert first == again  # the same number must carry the same bytes: GCM


def test_a_nack_for_what_was_never_sent_is_not_answered() -> None:
    stage = Stage("s")
    stage.audio(5)
    first = of(stage.subscribers[0], 100)[0][1]
    stage.from_subscriber(rtcp.build_nack(1, 100, [first + 1, first + 300, (first - 1) & 0xFFFF]))
    assert len(stage.subscribers[0].rtp) == 1


def test_an_old_range_is_resent_with_its_own_offsets() -> None:
    stage = Stage("s")
    stage.video(10, key=True)
    old = stage.subscribers[0].rtp[0]
    stage.publisher = stage.join_publisher(audio=30, camera=40)
    stage.video(3001, ssrc=40, key=True)
    stage.from_subscriber(rtcp.build_nack(1, 200, [fields(old)[1]]))
    answer = stage.subscribers[0].rtp[-1]
    assert fields(answer)[2] == fields(old)[2]
    assert answer[14:] == old[12:]


def sender_report(ssrc: int, ntp: int, timestamp: int) -> bytes:
    return rtcp.build_sender_report(rtcp.SenderInfo(ssrc, ntp, timestamp, 1, 2))


def test_sender_reports_are_mapped_to_the_subscribers_numbers() -> None:
    stage = Stage("s")
    stage.audio(1)
    stage.from_publisher(sender_report(10, 77 << 32, 960))
    out = of(stage.subscribers[0], 100)[0]
    info = rtcp.parse_sender_info(next(rtcp.split(stage.subscribers[0].rtcp[-1])))
    assert info is not None
    assert (info.ssrc, info.ntp, info.rtp_timestamp) == (100, 77 << 32, out[2])
    assert (info.packets, info.octets) == (1, 16)


def test_a_newcomer_gets_a_report_with_its_first_packet_brought_up_to_date() -> None:
    stage = Stage()
    stage.audio(1)
    stage.from_publisher(sender_report(10, 77 << 32, 960))
    newcomer = stage.join_subscriber("s")
    stage.time.advance(1000)
    stage.audio(51)
    info = rtcp.parse_sender_info(next(rtcp.split(newcomer.rtcp[0])))
    assert info is not None
    assert info.ntp == 78 << 32
    assert info.rtp_timestamp == of(newcomer, 100)[0][2]


def test_reports_are_made_up_to_date_while_none_comes_but_not_after_a_jump_of_the_sources_time() -> None:
    stage = Stage("s")
    subscriber = stage.subscribers[0]
    stage.audio(0)
    stage.from_publisher(sender_report(10, 77 << 32, 0))
    for sequence in range(1, 150):
        stage.time.advance(20)
        stage.audio(sequence)
        if sequence % 5 == 0:
            stage.relay.tick(stage.time.now_ns)
    infos = [rtcp.parse_sender_info(p) for p in sent(subscriber, rtcp.SR, 0)]
    assert 3 <= len(infos) <= 4
    stamps = [(info.ntp, info.rtp_timestamp) for info in infos if info is not None]
    for (ntp, stamp), (ntp_after, stamp_after) in pairwise(stamps):
        assert abs((stamp_after - stamp) - (ntp_after - ntp) * 48_000 / (1 << 32)) <= 1
    stage.time.advance(5000)
    for sequence in range(150, 250):
        stage.time.advance(20)
        stage.audio(sequence)
        if sequence % 5 == 0:
            stage.relay.tick(stage.time.now_ns)
    assert len(sent(subscriber, rtcp.SR, 0)) == len(infos)


def test_the_round_trip_is_learnt_from_reports_and_the_worst_loss_goes_to_the_publisher() -> None:
    stage = Stage("s", "t")
    stage.audio(1)
    stage.from_publisher(sender_report(10, 77 << 32, 960))
    lsr = 77 << 16
    stage.time.advance(80)
    block = rtcp.ReportBlock(100, 51, 0, 1, 0, lsr & 0xFFFFFFFF, 65536 // 50)
    stage.from_subscriber(rtcp.build_receiver_report(9, [block]))
    endpoint = stage.relay.endpoints["s"]
    rtt_ms = endpoint.subscriptions["p", "audio"].rtt_ns / MS
    assert 59 < rtt_ms < 61
    stage.audio(2)
    stage.relay.tick(stage.time.now_ns)
    (report,) = sent(stage.publisher, rtcp.RR, 1)
    (told,) = rtcp.parse_reports(report)
    assert (told.ssrc, told.fraction, told.lsr) == (10, 51, lsr & 0xFFFFFFFF)
    assert 5200 <= told.dlsr <= 5300


def test_an_ssrc_that_no_answer_listed_is_found_by_its_mid() -> None:
    stage = Stage("s", listed=False)
    head = struct.pack("!HH", 0xBEDE, 1) + b"\x400\0\0"
    stage.audio(1, ssrc=555)
    stage.audio(2, ssrc=555, head=head)
    stage.audio(3, ssrc=555)
    got = stage.subscribers[0].rtp
    assert len(got) == 2
    assert b"\x400" not in got[0]


def test_transport_feedback_follows_the_packets() -> None:
    stage = Stage()
    for number in range(20):
        head = struct.pack("!HHBHB", 0xBEDE, 1, 0x31, number, 0)
        stage.audio(number, head=head)
        stage.time.advance(20)
    found = sent(stage.publisher, rtcp.RTPFB, rtcp.TWCC_FORMAT)
    assert 3 <= len(found) <= 9


def test_a_subscriber_that_left_gets_nothing_more() -> None:
    stage = Stage("s")
    stage.audio(1)
    stage.relay.forget("s")
    stage.audio(2)
    assert len(stage.subscribers[0].rtp) == 1
    sink = stage.subscribers[0].sink
    assert sink is not None
    sink.on_state("failed")
    sink.on_negotiated()
    sink.on_rtp(struct.pack("!BBHII", 0x80, 111, 1, 1, 1), stage.time.now_ns)
    assert ("s", "c.1.1", "failed") not in stage.states


def test_silence_is_an_alarm_unless_muted() -> None:
    stage = Stage()
    relay = stage.relay
    relay.expect("p", mic=True, camera=True)
    stage.publisher.sink.on_state("connected")  # type: ignore[union-attr]
    for sequence in range(40):
        stage.audio(sequence)
        stage.time.advance(100)
    assert relay.silent(stage.time.now_ns, {"p": True}) == [("p", "camera")]
    assert relay.silent(stage.time.now_ns, {"p": False}) == []
    relay.expect("p", mic=True, camera=False)
    assert relay.silent(stage.time.now_ns, {"p": True}) == []
    stage.time.advance(3000)
    assert relay.silent(stage.time.now_ns, {"p": True}) == [("p", "audio")]
    relay.expect("p", mic=False, camera=True)
    assert relay.silent(stage.time.now_ns, {"p": True}) == []
    stage.time.advance(3000)
    assert relay.silent(stage.time.now_ns, {"p": True}) == [("p", "camera")]


RTP = st.binary(min_size=12, max_size=120)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([10, 20, 21, 555]), st.sampled_from([96, 97, 111]), RTP), max_size=30)
)
def test_no_packet_of_a_publisher_makes_the_relay_raise(packets: list[tuple[int, int, bytes]]) -> None:
    stage = Stage("s")
    assert stage.publisher.sink is not None
    for ssrc, pt, data in packets:
        head = struct.pack("!BB", 0x80 | data[0] & 0x3F, pt) + data[2:8] + struct.pack("!I", ssrc)
        stage.publisher.sink.on_rtp(head + data[12:], stage.time.now_ns)
        stage.time.advance(15)
    stage.relay.tick(stage.time.now_ns)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 31), st.sampled_from([200, 201, 203, 205, 206]), RTP), max_size=8))
def test_no_rtcp_makes_the_relay_raise(parts: list[tuple[int, int, bytes]]) -> None:
    stage = Stage("s")
    stage.video(1, key=True)
    compound = b""
    for count, kind, data in parts:
        body = data[: len(data) // 4 * 4]
        body = body[:4] + struct.pack("!I", 200) + body[8:]
        compound += struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
    stage.from_subscriber(compound)
    stage.from_publisher(compound)
