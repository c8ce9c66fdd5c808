"""Sound with redundancy through the relay: each listener gets what it has negotiated, and what the uplink
lost is rebuilt before it is sent on."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs import RED_PT
from media.ports import Delivery
from media.rtp import rtcp
from media.rtp.packets import payload_offset
from media.rtp.red import held, plain, rebuilt
from tests.support.outbox import Outbox, Stage, extensions, fields
from tests.unit.test_red import pack

LEVEL = extensions({1: b"\x55"})


def words(sequence: int) -> bytes:
    """What is said in this packet."""
    return b"opus" + struct.pack("!H", sequence & 0xFFFF)


class Voices(Stage):
    """`speaks` takes redundancy, `plain` (a Firefox) does not; the publisher may send it."""

    def __init__(self, *, red_up: bool = True) -> None:
        super().__init__()
        self.publisher.uplink["audio"].red = red_up
        assert self.publisher.sink is not None
        self.publisher.sink.on_negotiated()
        self.subscribers = [self.join_subscriber("speaks"), self.join_subscriber("plain")]
        self.speaks, self.plain = self.subscribers
        self.negotiate(self.speaks, red=True)

    @staticmethod
    def negotiate(outbox: Outbox, *, red: bool) -> None:
        outbox.deliveries["p", "audio"].red = red
        assert outbox.sink is not None
        outbox.sink.on_negotiated()

    def padding(self, sequence: int, timestamp: int) -> bytes:
        """What Chromium probes the line with when there is no picture to send again."""
        packet = struct.pack("!BBHII", 0xA0, RED_PT, sequence, timestamp, 10) + bytes(199) + b"\xc8"
        assert self.publisher.sink is not None
        self.publisher.sink.on_rtp(packet, self.time.now_ns)
        return packet

    def spoken(self, sequence: int, number: int) -> None:
        """The voice's packet `number`, sent under another sequence number."""
        older = [(111, 960, words(number - 1)), (111, 0, words(number))]
        self.rtp(RED_PT, sequence, number * 960, 10, pack(older))

    def red(self, sequence: int, depth: int = 1, head: bytes = b"") -> None:
        older = [(111, 960 * back, words(sequence - back)) for back in range(depth, 0, -1)]
        self.rtp(RED_PT, sequence, sequence * 960, 10, pack([*older, (111, 0, words(sequence))]), head)


def heard(outbox: Outbox) -> list[tuple[int, int, bytes]]:
    """(payload type, sequence from the first, Opus of the primary block) of what was sent to it as sound."""
    got = [packet for packet in outbox.rtp if fields(packet)[3] == 100]
    base = fields(got[0])[1]
    return [
        (fields(p)[0], (fields(p)[1] - base) & 0xFFFF, (plain(p) if fields(p)[0] == RED_PT else p)[-6:])
        for p in got
    ]


def test_redundancy_reaches_who_takes_it_and_plain_opus_the_others() -> None:
    stage = Voices()
    for sequence in range(1, 6):
        stage.red(sequence)
    assert heard(stage.speaks) == [(RED_PT, n, words(n + 1)) for n in range(5)]
    assert heard(stage.plain) == [(111, n, words(n + 1)) for n in range(5)]
    assert all(len(packet) == 12 + 6 for packet in stage.plain.rtp), "the primary block and nothing else"


def test_a_lost_packet_is_rebuilt_from_the_next_for_everybody_and_in_order() -> None:
    stage = Voices()
    for sequence in (1, 2, 4, 5):
        stage.red(sequence, head=LEVEL)
    for outbox, own in ((stage.speaks, RED_PT), (stage.plain, 111)):
        got = heard(outbox)
        assert [(number, data) for _, number, data in got] == [(n, words(n + 1)) for n in range(5)]
        assert [pt for pt, _, _ in got] == [own, own, 111, own, own]
        stamps = [fields(p)[2] for p in outbox.rtp]
        assert [(stamp - stamps[0]) & 0xFFFFFFFF for stamp in stamps] == [960 * n for n in range(5)]
        assert all(LEVEL in packet for packet in outbox.rtp), "the voice's level stays with it"
    assert stage.relay.counters.packets_rebuilt == 1
    stage.time.advance(500)
    assert stage.publisher.rtcp == [], "what was rebuilt is asked for no more"


def test_the_packet_itself_is_dropped_when_it_comes_after_all() -> None:
    stage = Voices()
    for sequence in (1, 3, 2, 4):
        stage.red(sequence)
    for outbox in (stage.speaks, stage.plain):
        assert [number for _, number, _ in heard(outbox)] == [0, 1, 2, 3]


def test_a_late_packet_still_gives_what_it_holds() -> None:
    stage = Voices()
    for sequence in (1, 4, 3):
        stage.red(sequence)
    assert [(n, data) for _, n, data in heard(stage.plain)] == [
        (0, words(1)), (2, words(3)), (3, words(4)), (1, words(2))
    ]  # fmt: skip


def test_two_blocks_rebuild_two_packets() -> None:
    stage = Voices()
    stage.red(1, 2)
    stage.red(4, 2)
    assert [data for _, _, data in heard(stage.plain)] == [words(n) for n in (1, 2, 3, 4)]


def test_blocks_that_are_not_of_the_packets_just_before_stand_for_none() -> None:
    stage = Voices()
    stage.red(1)
    stage.red(2)
    # 3 was sent without redundancy and lost: what 4 repeats is 2.
    payload = pack([(111, 1920, words(2)), (111, 0, words(4))])
    stage.rtp(RED_PT, 4, 4 * 960, 10, payload)
    assert [number for _, number, _ in heard(stage.plain)] == [0, 1, 3]


def test_plain_opus_of_a_sender_that_has_redundancy_too_goes_to_everybody() -> None:
    stage = Voices()
    stage.red(1)
    stage.audio(2, payload=words(2))
    stage.red(3)
    assert heard(stage.speaks) == [(RED_PT, 0, words(1)), (111, 1, words(2)), (RED_PT, 2, words(3))]
    assert heard(stage.plain) == [(111, n, words(n + 1)) for n in range(3)]


def test_redundancy_that_was_not_negotiated_is_dropped() -> None:
    stage = Voices(red_up=False)
    stage.red(1)
    stage.audio(2, payload=words(2))
    assert heard(stage.speaks) == heard(stage.plain) == [(111, 0, words(2))]


@pytest.mark.parametrize("index", [0, 1])
def test_a_nack_for_sound_is_answered_in_the_form_the_listener_had(index: int) -> None:
    stage = Voices()
    for sequence in (1, 2, 4):
        stage.red(sequence, head=LEVEL)
    outbox = stage.subscribers[index]
    before = {fields(packet)[1]: packet for packet in outbox.rtp}
    assert len(before) == 4
    stage.time.advance(200)
    stage.from_subscriber(rtcp.build_nack(1, 100, sorted(before)), index)
    assert outbox.rtp[4:] == [before[number] for number in sorted(before)]


def test_a_listener_that_changes_its_mind_gets_no_old_number_in_a_new_form() -> None:
    stage = Voices()
    for sequence in (1, 2, 3):
        stage.red(sequence)
    sent = {fields(packet)[1]: packet for packet in stage.speaks.rtp}
    stage.negotiate(stage.speaks, red=False)
    stage.time.advance(200)
    stage.from_subscriber(rtcp.build_nack(1, 100, sorted(sent)))
    assert len(stage.speaks.rtp) == 3
    stage.red(4)
    assert heard(stage.speaks)[3] == (111, 3, words(4))


class Recorder:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def rtp(self, peer: str, kind: str, rid: str, packet: bytes, at_ns: int, key: bool | None) -> None:
        self.kept.append(packet)

    def sender_report(self, *_: object) -> None: ...


def test_the_recorder_gets_what_was_rebuilt_and_no_redundancy() -> None:
    stage, recorder = Voices(), Recorder()
    stage.relay.recorder = recorder
    stage.relay.set_recorded("p", True)
    for sequence in (1, 3):
        stage.red(sequence)
    assert [fields(packet)[:2] for packet in recorder.kept] == [(111, 1), (111, 2), (111, 3)]
    assert [packet[12:] for packet in recorder.kept] == [words(1), words(2), words(3)]


def test_what_was_said_before_the_first_recorded_packet_is_not_in_it() -> None:
    stage, recorder = Voices(), Recorder()
    stage.relay.recorder = recorder
    for sequence in (1, 2):
        stage.red(sequence)
    stage.relay.set_recorded("p", True)
    stage.red(3)
    stage.red(5)  # holds 4
    assert words(3) in recorder.kept[0]
    assert not any(words(2) in packet for packet in recorder.kept)
    assert [packet[12:] for packet in recorder.kept] == [words(3), words(4), words(5)]


# One (ssrc, seq) never carries two different packets (AES-GCM), whatever is lost, late, rebuilt, repeated or
# asked for again, and whoever hears it.

STEP = st.tuples(
    st.sampled_from(["red", "red2", "plain", "late", "nack", "again"]), st.integers(0, 6), st.integers(0, 30)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=60), st.integers(0, 0xFFFF))
def test_a_number_is_never_sent_with_other_bytes(steps: list[tuple[str, int, int]], start: int) -> None:
    stage = Voices()
    at = start
    for what, skip, ms in steps:
        stage.time.advance(ms)
        if what in ("red", "red2", "plain"):
            at += 1 + max(0, skip - 4)
        sequence = at if what in ("red", "red2", "plain") else at - skip
        if what == "plain":
            stage.audio(sequence, payload=words(sequence))
        elif what in ("red", "late", "again"):
            stage.red(sequence, head=LEVEL if what == "red" else b"")
        elif what == "red2":
            stage.red(sequence, 2)
        else:
            for index, outbox in enumerate(stage.subscribers):
                if outbox.rtp:
                    asked = fields(outbox.rtp[-1])[1] - skip & 0xFFFF
                    stage.from_subscriber(rtcp.build_nack(1, 100, [asked]), index)
    for outbox in stage.subscribers:
        seen: dict[tuple[int, int], bytes] = {}
        for packet in outbox.rtp:
            _, sequence, _, ssrc = fields(packet)
            assert seen.setdefault((ssrc, sequence), packet) == packet


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 255), st.booleans())
def test_any_payload_is_taken_apart_without_raising(payload: bytes, first: int, extended: bool) -> None:
    head = bytes((0x90 if extended else first, RED_PT)) + bytes(10) + (LEVEL if extended else b"")
    packet = head + payload
    bare = plain(packet)
    assert bare[1] & 0x7F == 111
    assert len(bare) <= len(packet)
    for one in held(packet):
        assert payload_offset(rebuilt(packet, 7, one)) == payload_offset(packet)
    stage = Voices()
    stage.red(1)
    stage.rtp(RED_PT, 3, 2880, 10, payload)
    stage.red(4)
    assert heard(stage.plain)[-1][2] == words(4)


def test_padding_that_probes_the_line_leaves_no_hole_for_who_takes_no_redundancy() -> None:
    stage = Voices()
    stage.red(1)
    padding = stage.padding(2, 960)
    stage.red(3)
    assert [fields(p)[1] - fields(stage.plain.rtp[0])[1] for p in stage.plain.rtp] == [0, 1, 2]
    assert len(stage.plain.rtp[1]) == 12
    assert stage.speaks.rtp[1][12:] == padding[12:]


def test_padding_in_between_does_not_keep_a_lost_packet_from_being_rebuilt() -> None:
    stage = Voices()
    stage.spoken(10, 1)
    stage.padding(11, 960)
    # The voice's packet 2 is lost at 12, then padding, then the packet that holds it.
    stage.padding(13, 1920)
    stage.padding(14, 1920)
    stage.spoken(15, 3)
    # 4 and the padding before it are lost both: it is rebuilt at one of the two numbers.
    stage.spoken(18, 5)
    stage.padding(19, 5 * 960)
    stage.spoken(20, 6)
    got = [(sequence, data) for _, sequence, data in heard(stage.plain) if data.startswith(b"opus")]
    assert [data for _, data in got] == [words(n) for n in (1, 2, 3, 4, 5, 6)]
    assert [sequence for sequence, _ in got] == [0, 2, 5, 7, 8, 10]
    assert stage.relay.counters.packets_rebuilt == 2


def test_padding_is_no_part_of_the_voice() -> None:
    payload = pack([(111, 960, b"before"), (111, 0, b"now!!!")])
    packet = struct.pack("!BBHII", 0xA0, RED_PT, 5, 4800, 10) + payload + b"\0\0\0\4"
    bare = plain(packet)
    assert bare == struct.pack("!BBHII", 0x80, 111, 5, 4800, 10) + b"now!!!"
    (one,) = held(packet)
    assert rebuilt(packet, 4, one) == struct.pack("!BBHII", 0x80, 111, 4, 3840, 10) + b"before"


def test_a_delivery_is_plain_until_an_answer_says_otherwise() -> None:
    assert not Delivery("p", "audio", "4", 100, None).red
