"""A way over which nothing comes: what was sent meanwhile stays lost, and nothing is concluded from it."""

from __future__ import annotations

import struct

import pytest

from media.breaks import Breaks, silence_ns
from media.rtp import rtcp
from media.rtp.packets import payload_offset
from tests.support.outbox import Outbox, Stage, fields
from tests.unit.test_lines import Playing
from tests.unit.test_relay import plis, sent

RTX = 201


def resent(outbox: Outbox) -> list[int]:
    """The numbers, as first sent, of pictures that went out again."""
    again = [packet for packet in outbox.rtp if fields(packet)[3] == RTX]
    return [struct.unpack_from("!H", packet, payload_offset(packet))[0] for packet in again]


def numbers(outbox: Outbox) -> list[int]:
    return [fields(packet)[1] for packet in outbox.rtp if fields(packet)[3] == 200]


def nacked(outbox: Outbox) -> int:
    return len(sent(outbox, rtcp.RTPFB, rtcp.NACK_FORMAT))


def test_what_was_sent_in_the_dark_is_not_sent_again_and_pictures_begin_anew() -> None:
    stage = Stage("s")
    endpoint = stage.relay.endpoints["s"]
    stage.video(1, key=True)
    stage.video(2)
    endpoint.unheard(False)
    stage.video(3)
    stage.time.advance(600)
    asked = plis(stage.publisher)
    endpoint.unheard(True)
    assert plis(stage.publisher) == asked + 1
    stage.video(4, key=True)
    sent = numbers(stage.subscribers[0])
    assert len(sent) == 4
    stage.from_subscriber(rtcp.build_nack(1, 200, sent))
    assert resent(stage.subscribers[0]) == sent[3:]


def test_a_break_between_two_sources_leaves_nothing_of_before_either() -> None:
    """After five seconds of silence the connection counts as lost; its next picture is a new range."""
    stage = Stage("s")
    endpoint, outbox = stage.relay.endpoints["s"], stage.subscribers[0]
    stage.video(1, key=True)
    assert outbox.sink is not None
    outbox.sink.on_state("disconnected")
    endpoint.unheard(False)
    outbox.sink.on_state("connected")
    endpoint.unheard(True)
    stage.video(2, key=True)
    sent = numbers(outbox)
    assert sent[1] == sent[0] + 1
    stage.from_subscriber(rtcp.build_nack(1, 200, sent))
    assert resent(outbox) == sent[1:]


def test_of_who_was_in_the_dark_nothing_old_is_asked_for_but_a_new_picture() -> None:
    stage = Stage("s")
    publisher = stage.relay.endpoints["p"]
    stage.video(1, key=True)
    stage.video(2)
    publisher.unheard(False)
    stage.time.advance(1200)
    stage.video(60)
    stage.relay.tick(stage.time.now_ns)
    stage.time.advance(300)
    assert (nacked(stage.publisher), plis(stage.publisher)) == (0, 1)
    publisher.unheard(True)
    stage.video(63, key=True)
    stage.time.advance(40)
    assert nacked(stage.publisher) == 1, "a loss like any other"


def test_a_break_is_seen_while_it_lasts_and_its_end_once() -> None:
    stage, breaks = Stage(), Breaks()
    endpoints = stage.relay.endpoints
    seen: list[bool] = []
    told: list[bool] = []
    for tenth in range(30):
        if not 5 <= tenth < 20:
            stage.audio(tenth)
        stage.time.advance(100)
        silences = {peer: silence_ns(one, stage.time.now_ns) for peer, one in endpoints.items()}
        told.append(breaks.look(endpoints["p"], silences, stage.time.now_ns))
        seen.append(breaks.own)
    assert told.index(True) == 20
    assert sum(told) == 1
    assert seen.index(True) == 11
    assert sum(seen) == 9
    assert not breaks.own_settled(stage.time.now_ns)


@pytest.mark.parametrize("dark", [True, False])
def test_a_line_in_the_dark_is_no_thin_one_however_little_it_was_thought_to_carry(dark: bool) -> None:
    """A line that is full to the brim answers no probe either, but something still comes over it."""
    playing = Playing("s")
    playing.run(2)
    playing.stage.relay.endpoints["p"].remb_bps = 60_000
    playing.run(2)
    if dark:
        playing.still(9)
        playing.run(2)
    else:
        playing.run(11)
    modes = [event["peers"]["p"]["mode"] for event in playing.told if "p" in event["peers"]]
    assert ("survival" in modes) is not dark
