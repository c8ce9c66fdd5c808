"""A camera in two layers: found by RID, each repaired and asked for by itself, one of them forwarded."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.layers import GONE_NS, HIGH, LOW, Layer, Level, flowing
from media.rtp import rtcp
from media.rtp.packets import find_extension, payload_offset
from media.rtp.splice import Numbers, numbers_of, renumbered
from tests.support.outbox import LAYERS, MS, Outbox, Stage, extensions, fields

FRAME_MS = 33
L, H = LAYERS[LOW][0], LAYERS[HIGH][0]


@dataclass(eq=False)
class Stream:
    rid: str
    last_ns: int


def test_the_high_layer_is_chosen_while_it_flows() -> None:
    low, high = Stream(LOW, 1_000 * MS), Stream(HIGH, 900 * MS)
    assert Layer().choose(flowing([low, high]), None) is high
    low.last_ns = high.last_ns + GONE_NS
    assert Layer().choose(flowing([low, high]), high) is low


def test_on_a_line_that_is_quiet_as_a_whole_nothing_is_switched() -> None:
    assert len(flowing([Stream(LOW, 5), Stream(HIGH, 6)])) == 2
    assert flowing([Stream(LOW, 0), Stream(HIGH, 0)]) == []


def test_a_limit_holds_unless_nothing_else_flows() -> None:
    layer = Layer()
    layer.highest = "low"
    low, high = Stream(LOW, 1), Stream(HIGH, 1)
    assert layer.choose([low, high], high) is low
    assert layer.choose([high], None) is high


def test_among_equals_the_present_one_stays() -> None:
    first, second = Stream("", 1), Stream("", 2)
    assert Layer().choose([first, second], first) is first
    assert Layer().choose([first, second], None) is second


# -- on the way


def pictures(outbox: Outbox) -> list[tuple[int, int, str, int]]:
    """(sequence, RTP time, rid, number) of every picture a subscriber got."""
    found = []
    for packet in outbox.rtp:
        _, sequence, timestamp, ssrc = fields(packet)
        if ssrc == 200:
            rid, number = struct.unpack("!cH", packet[-3:])
            found.append((sequence, timestamp, rid.decode(), number))
    return found


def picture_numbers(outbox: Outbox) -> list[Numbers]:
    """What a receiver reads in the descriptors, in the order of sending."""
    return [numbers_of(packet) for packet in outbox.rtp if fields(packet)[3] == 200]


def assert_one_after_the_other(numbers: list[Numbers]) -> None:
    for one, next_one in pairwise(numbers):
        assert (next_one.picture - one.picture) & 0x7FFF == 1
        assert (next_one.base - one.base) & 0xFF == 1


def asked(outbox: Outbox) -> list[int]:
    """The SSRCs of all key-frame requests so far, in order."""
    parts = [part for packet in outbox.rtcp for part in rtcp.split(packet)]
    return [
        ssrc
        for part in parts
        if (part.type, part.format) == (rtcp.PSFB, rtcp.PLI_FORMAT)
        and (ssrc := rtcp.parse_media_ssrc(part)) is not None
    ]


def both(stage: Stage, numbers: range, *, keys: tuple[int, ...] = ()) -> None:
    for number in numbers:
        for rid in (LOW, HIGH):
            stage.layer(rid, number, key=number in keys)
        stage.time.advance(FRAME_MS)
        stage.relay.tick(stage.time.now_ns)


def only(stage: Stage, rid: str, numbers: range, *, keys: tuple[int, ...] = ()) -> None:
    for number in numbers:
        stage.layer(rid, number, key=number in keys)
        stage.time.advance(FRAME_MS)
        stage.relay.tick(stage.time.now_ns)


def assert_continuous(got: list[tuple[int, int, str, int]]) -> None:
    """No number twice or left out, and RTP time that follows the pictures' own."""
    for (sequence, stamp, _, number), (next_sequence, next_stamp, _, next_number) in pairwise(got):
        assert (next_sequence - sequence) & 0xFFFF == 1
        due = (next_number - number) * 3000
        assert abs(((next_stamp - stamp) & 0xFFFFFFFF) - due) <= max(0.1 * due, 90), (number, next_number)


def test_a_subscriber_gets_one_layer_the_high_one() -> None:
    stage = Stage("s", "t", layered=True)
    both(stage, range(30), keys=(0,))
    for subscriber in stage.subscribers:
        got = pictures(subscriber)
        assert {rid for _, _, rid, number in got if number} == {HIGH}
        assert {number for _, _, rid, number in got} == set(range(30))
        assert all(
            find_extension(packet, 4) is find_extension(packet, 5) is None for packet in subscriber.rtp
        )


def test_the_low_layer_is_shown_until_the_high_one_comes_and_again_when_it_goes() -> None:
    stage = Stage("s", layered=True)
    subscriber = stage.subscribers[0]
    only(stage, LOW, range(10), keys=(0,))
    for rid in (LOW, HIGH):
        stage.layer_report(rid, 10, 77 << 32)
    both(stage, range(10, 20))
    assert [rid for _, _, rid, _ in pictures(subscriber)] == [LOW] * 20, "no switch without a key frame"
    assert asked(stage.publisher) == [H]
    both(stage, range(20, 40), keys=(20,))
    assert {rid for _, _, rid, number in pictures(subscriber) if number > 20} == {HIGH}
    before = len(asked(stage.publisher))
    only(stage, LOW, range(40, 58))
    assert set(asked(stage.publisher)[before:]) == {L}
    only(stage, LOW, range(58, 80), keys=(58,))
    got = pictures(subscriber)
    assert [rid for _, _, rid, number in got if number >= 58] == [LOW] * 22
    assert_continuous(got)
    assert_one_after_the_other(picture_numbers(subscriber))


@pytest.mark.parametrize("reports", [True, False])
def test_a_forced_switch_is_continuous_and_touches_nobody_else(reports: bool) -> None:
    stage = Stage("s", "t", layered=True)
    both(stage, range(20), keys=(0,))
    if reports:
        for rid in (LOW, HIGH):
            stage.layer_report(rid, 20, 77 << 32)
    chosen = stage.relay.endpoints["s"].subscriptions["p", "camera"].layer
    chosen.highest = "low"
    both(stage, range(20, 40), keys=(30,))
    chosen.highest = "high"
    both(stage, range(40, 60), keys=(50,))
    here, there = (pictures(subscriber) for subscriber in stage.subscribers)
    # The picture of a switch upwards comes in both layers: the low one was sent first.
    assert [number for _, _, rid, number in here if rid == LOW] == [0, *range(30, 51)]
    assert [number for _, _, rid, number in here if rid == HIGH] == [*range(30), *range(50, 60)]
    assert [number for _, _, rid, number in there if rid == HIGH] == [*range(60)]
    assert_continuous(here)
    assert_continuous(there)
    for subscriber in stage.subscribers:
        assert_one_after_the_other(picture_numbers(subscriber))
    assert asked(stage.publisher)[-2:] == [L, H]


@pytest.mark.parametrize("seed", range(4))
def test_a_storm_of_switches_and_pauses_is_one_stream_without_a_jump_in_time(seed: int) -> None:
    chance = random.Random(seed)
    stage = Stage("s", "t", layered=True)
    choice = stage.relay.endpoints["s"].subscriptions["p", "camera"].layer
    for rid in (LOW, HIGH):
        stage.layer_report(rid, 0, 77 << 32)
    levels: list[Level] = ["high", "low", "off"]
    for number in range(900):
        for rid in (LOW, HIGH):
            stage.layer(rid, number, key=number % 7 == 0)
        if chance.random() < 0.2:
            choice.highest = chance.choice(levels)
        stage.time.advance(FRAME_MS)
        stage.relay.tick(stage.time.now_ns)
    here, there = (pictures(subscriber) for subscriber in stage.subscribers)
    assert len({rid for _, _, rid, _ in here}) == 2
    assert len(here) < 850, "it was paused now and then"
    assert_continuous(here)
    assert_one_after_the_other(picture_numbers(stage.subscribers[0]))
    assert [number for _, _, rid, number in there if rid == HIGH] == [*range(900)]


def test_a_picture_sent_again_after_a_switch_has_the_number_it_had() -> None:
    stage = Stage("s", layered=True)
    subscriber = stage.subscribers[0]
    both(stage, range(20), keys=(0,))
    stage.relay.endpoints["s"].subscriptions["p", "camera"].layer.highest = "low"
    both(stage, range(20, 40), keys=(30,))
    sent = {fields(packet)[1]: packet for packet in subscriber.rtp if fields(packet)[3] == 200}
    stage.from_subscriber(rtcp.build_nack(1, 200, list(sent)))
    again = [packet for packet in subscriber.rtp if fields(packet)[3] == 201]
    assert len(again) == len(sent)
    for packet in again:
        payload = payload_offset(packet)
        original = sent[struct.unpack_from("!H", packet, payload)[0]]
        assert packet[payload + 2 :] == original[payload_offset(original) :]


@given(
    st.integers(0, 0x7FFF),
    st.integers(0, 0xFF),
    st.integers(0, 0x7FFF),
    st.integers(0, 0xFF),
    st.sampled_from([0x80, 0x40, 0xC0, 0xE0, 0x30, 0x00]),
    st.booleans(),
)
def test_renumbering_moves_the_numbers_and_nothing_else(
    picture: int, base: int, more: int, more_base: int, flags: int, wide: bool
) -> None:
    body = bytes([0x90, flags])
    picture = picture if wide else picture & 0x7F
    if flags & 0x80:
        body += struct.pack("!H", 0x8000 | picture) if wide else bytes([picture])
    body += bytes([base] if flags & 0x40 else []) + bytes([7] if flags & 0x30 else []) + b"vp8"
    packet = struct.pack("!BBHII", 0x80, 96, 1, 2, 3) + body
    moved = renumbered(packet, Numbers(more, more_base))
    before, after = numbers_of(packet), numbers_of(moved)
    assert len(moved) == len(packet)
    assert moved.endswith(b"vp8")
    assert renumbered(moved, Numbers(-more, -more_base)) == packet
    limit = 0x7FFF if wide else 0x7F
    expected = Numbers(
        picture + more & limit if flags & 0x80 else -1, base + more_base & 0xFF if flags & 0x40 else -1
    )
    assert (before, after) == (
        Numbers(picture if flags & 0x80 else -1, base if flags & 0x40 else -1),
        expected,
    )


@given(st.binary(min_size=12, max_size=30))
def test_no_packet_makes_renumbering_raise(packet: bytes) -> None:
    assert len(renumbered(packet, Numbers(5, 5))) == len(packet)
    numbers_of(packet)


def test_a_request_for_a_key_frame_goes_to_the_layer_that_is_shown() -> None:
    stage = Stage("s", layered=True)
    both(stage, range(20), keys=(0,))
    stage.from_subscriber(rtcp.build_pli(1, 200))
    assert asked(stage.publisher) == [H]


def test_each_layer_is_repaired_by_its_own_retransmissions() -> None:
    stage = Stage("s", layered=True)
    for number in (0, 1, 3, 4):
        for rid in (LOW, HIGH):
            stage.layer(rid, number, key=number == 0)
    stage.time.advance(11)
    nacks = [
        part for packet in stage.publisher.rtcp for part in rtcp.split(packet) if part.type == rtcp.RTPFB
    ]
    missing = {rtcp.parse_media_ssrc(part): rtcp.parse_nack(part) for part in nacks}
    assert missing == {L: [60_002], H: [102]}
    head = extensions({4: b"1", 6: b"h"})
    payload = struct.pack("!H", 102) + bytes([0x10, 1]) + b"h\0\2"
    stage.rtp(97, 7, 6000, 41, payload, head)
    assert pictures(stage.subscribers[0])[-1][2:] == (HIGH, 2)
    assert stage.relay.counters.packets_recovered == 1


def test_layers_are_known_by_their_ssrc_once_they_were_named() -> None:
    stage = Stage("s", layered=True)
    stage.layer(HIGH, 0, key=True)
    stage.layer(HIGH, 1, named=False)
    stage.layer(LOW, 0, named=False)
    assert [number for *_, number in pictures(stage.subscribers[0])] == [0, 1]
    assert stage.relay.counters.packets_unknown == 2


def test_a_layer_that_was_not_answered_is_not_taken() -> None:
    stage = Stage("s", layered=True)
    stage.rtp(96, 1, 1, 50, b"\x10\0\0\0", extensions({4: b"1", 5: b"x"}))
    stage.rtp(97, 1, 1, 51, b"\0\1\x10\0\0\0", extensions({4: b"1", 6: b"x"}))
    assert stage.subscribers[0].rtp == []
    assert stage.relay.publications["p", "camera"].streams == {}


def test_every_layer_reaches_the_recorder() -> None:
    stage = Stage(layered=True)
    kept: list[tuple[str, str]] = []

    class Recorder:
        def rtp(self, peer: str, kind: str, rid: str, packet: bytes, at_ns: int, key: bool | None) -> None:
            kept.append((kind, rid))

        def sender_report(self, *_: object) -> None: ...

    stage.relay.recorder = Recorder()  # type: ignore[assignment]
    stage.relay.set_recorded("p", True)
    both(stage, range(5), keys=(0,))
    stage.audio(1)
    assert kept == [("camera", LOW), ("camera", HIGH)] * 5 + [("audio", "")]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_number_is_ever_used_for_two_packets(data: st.DataObject) -> None:
    """With AES-GCM that would give the key away, whatever is switched, lost, late or asked for again."""
    stage = Stage("s", layered=True)
    held: list[tuple[str, int, bool]] = []
    choice = stage.relay.endpoints["s"].subscriptions["p", "camera"].layer
    for number in range(60):
        for rid in (LOW, HIGH):
            key = data.draw(st.integers(0, 9)) == 0
            match data.draw(st.integers(0, 7)):
                case 0:
                    pass
                case 1:
                    held.append((rid, number, key))
                case _:
                    stage.layer(rid, number, key=key)
        if held and data.draw(st.booleans()):
            stage.layer(held[0][0], held[0][1], key=held.pop(0)[2])
        if data.draw(st.integers(0, 6)) == 0:
            choice.highest = data.draw(st.sampled_from(["high", "low", "off"]))
        stage.time.advance(data.draw(st.sampled_from([1, FRAME_MS, 700])))
        stage.relay.tick(stage.time.now_ns)
    sent: dict[int, tuple[int, str, int]] = {}
    for sequence, timestamp, rid, number in pictures(stage.subscribers[0]):
        assert sent.setdefault(sequence, (timestamp, rid, number)) == (timestamp, rid, number)
