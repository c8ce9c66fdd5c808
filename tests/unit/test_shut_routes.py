"""A cell of the matrix that is closed carries nothing; opened again it goes on as if nothing had been."""

from __future__ import annotations

from itertools import pairwise

from media.codecs import RED_PT
from media.rtp import rtcp
from tests.support.outbox import Stage, fields
from tests.unit.test_redundancy import Voices, words

STEP_MS = 40
OPEN = {"s": (("p", "audio"), ("p", "camera")), "t": (("p", "audio"), ("p", "camera"))}
NO_SOUND = {**OPEN, "s": (("p", "camera"),)}


def sound(stage: Stage, index: int) -> list[tuple[int, int, int, int]]:
    return [fields(packet) for packet in stage.subscribers[index].rtp if fields(packet)[3] == 100]


def pictures(stage: Stage, index: int) -> list[bytes]:
    return [packet for packet in stage.subscribers[index].rtp if fields(packet)[3] == 200]


def step(stage: Stage) -> None:
    stage.time.advance(STEP_MS)
    stage.relay.tick(stage.time.now())


def shut_and_opened(*, layered: bool = False) -> Stage:
    """Nothing had been sent by then."""
    stage = Stage("s", "t", layered=layered)
    stage.relay.let_through({**OPEN, "s": ()})
    stage.relay.let_through(None)
    return stage


def test_a_closed_cell_carries_nothing_and_the_others_all() -> None:
    stage = Stage("s", "t")
    stage.audio(1)
    stage.relay.let_through(NO_SOUND)
    for number in range(2, 52):
        stage.audio(number)
        stage.time.advance(20)
        stage.relay.tick(stage.time.now())
    assert (len(sound(stage, 0)), len(sound(stage, 1))) == (1, 51)
    assert stage.relay.counters.packets_forwarded == 52


def test_who_is_in_no_route_gets_neither_sound_nor_picture_and_a_newcomer_neither() -> None:
    stage = Stage("s", "t")
    stage.relay.let_through({"t": OPEN["t"]})
    stage.join_subscriber("u")
    for number in range(1, 5):
        stage.audio(number)
        stage.video(number, key=number == 1)
    assert stage.subscribers[0].rtp == []
    assert len(stage.subscribers[1].rtp) == 8


def test_what_opens_goes_on_with_the_next_number_and_at_its_time() -> None:
    stage = Stage("s", "t")
    for number in range(1, 201):
        if number in (50, 100):
            stage.relay.let_through(NO_SOUND if number == 50 else None)
        stage.audio(number)
        stage.time.advance(20)
    got = sound(stage, 0)
    assert len(got) == 200 - 50
    assert all((later[1] - earlier[1]) & 0xFFFF == 1 for earlier, later in pairwise(got))
    steps = {(later[2] - earlier[2]) & 0xFFFFFFFF for earlier, later in pairwise(got)}
    assert steps == {960, 51 * 960}, "the pause is as long in RTP time as it was"


def test_a_picture_that_opens_begins_with_a_key_frame_that_is_asked_for() -> None:
    stage = Stage("s")
    stage.video(1, key=True)
    stage.relay.let_through({"s": ()})
    stage.video(2)
    stage.time.advance(1_000)
    before = len(stage.publisher.rtcp)
    stage.video(3)
    stage.relay.let_through(None)
    stage.video(4)
    stage.time.advance(30)
    assert len(stage.publisher.rtcp) > before
    assert len(pictures(stage, 0)) == 1
    stage.video(5, key=True)
    assert len(pictures(stage, 0)) == 2


def test_what_is_shut_is_not_sent_again_either() -> None:
    stage = Stage("s")
    for number in range(1, 6):
        stage.audio(number)
    last = sound(stage, 0)[-1][1]
    stage.relay.let_through({"s": ()})
    before = len(stage.subscribers[0].rtp)
    stage.from_subscriber(rtcp.build_nack(1, 100, [last, last - 1]), 0)
    assert len(stage.subscribers[0].rtp) == before
    stage.audio(6)
    stage.relay.let_through(None)
    stage.audio(7)
    stage.from_subscriber(rtcp.build_nack(1, 100, [last]), 0)
    assert len(stage.subscribers[0].rtp) == before + 1
    stage.from_subscriber(rtcp.build_nack(1, 100, [last + 1]), 0)
    assert len(stage.subscribers[0].rtp) == before + 2, "what came after is"


def test_redundancy_repeats_nothing_of_what_was_said_while_shut_and_comes_back() -> None:
    stage = Voices()
    routes = {peer.peer: (("p", "audio"),) for peer in (stage.speaks, stage.plain)}
    stage.red(1)
    stage.relay.let_through({**routes, stage.speaks.peer: ()})
    for number in range(2, 10):
        stage.red(number)
        stage.time.advance(20)
    stage.relay.let_through(None)
    for number in range(10, 210):
        stage.red(number)
        stage.time.advance(20)
        stage.relay.tick(stage.time.now())
    packets = stage.speaks.rtp
    assert len(packets) == 1 + 200
    secret = [words(number) for number in range(2, 10)]
    assert not any(word in packet for packet in packets for word in secret)
    assert fields(packets[1])[0] == 111
    assert fields(packets[-1])[0] == RED_PT
    numbers = [fields(packet)[1] for packet in packets]
    assert all((later - earlier) & 0xFFFF == 1 for earlier, later in pairwise(numbers))
    stamps = [fields(packet)[2] for packet in packets[1:]]
    assert {(later - earlier) & 0xFFFFFFFF for earlier, later in pairwise(stamps)} == {960}
    turned = next(n for n, packet in enumerate(packets) if n and fields(packet)[0] == RED_PT)
    before = len(packets)
    stage.time.advance(200)
    nack = rtcp.build_nack(1, 100, [numbers[turned - 1]])
    stage.speaks.sink.on_rtcp(nack, stage.time.now())  # type: ignore[union-attr]
    assert len(packets) == before, "no number goes out with other bytes"
    nack = rtcp.build_nack(1, 100, [numbers[-1]])
    stage.speaks.sink.on_rtcp(nack, stage.time.now())  # type: ignore[union-attr]
    assert packets[-1] == packets[before - 1]


def test_what_was_lost_while_shut_and_repaired_after_it_opened_goes_to_nobody_it_was_kept_from() -> None:
    stage = Stage("s", "t")
    stage.audio(1)
    stage.relay.let_through(NO_SOUND)
    for number in (2, 4, 5):
        stage.audio(number)
        stage.time.advance(20)
    before = len(sound(stage, 0))
    stage.relay.let_through(None)
    stage.audio(3)
    assert len(sound(stage, 0)) == before, "nor what came after it, which is still in the cache"
    stage.audio(6)
    assert len(sound(stage, 0)) == before + 1
    assert len(sound(stage, 1)) == 6


def test_what_begins_after_it_has_opened_comes_from_its_first_packet_on() -> None:
    stage = shut_and_opened()
    for number in range(1, 4):
        stage.audio(number)
        stage.video(number, key=number == 1)
        step(stage)
    assert [len(sound(stage, one)) for one in (0, 1)] == [3, 3]
    assert [len(pictures(stage, one)) for one in (0, 1)] == [3, 3]


def test_a_layer_that_begins_after_it_has_opened_is_given_from_its_first_key_frame_on() -> None:
    stage = shut_and_opened(layered=True)
    for number in range(1, 10):
        stage.layer("l", number, key=number == 1)
        stage.layer("h", number, key=number == 1)
        step(stage)
    assert len(pictures(stage, 0)) == len(pictures(stage, 1)) >= 9


def test_a_key_frame_from_before_it_opened_is_not_given_late_and_another_one_is_asked_for() -> None:
    stage = Stage("s", "t")
    stage.video(1, key=True)
    stage.relay.let_through({**OPEN, "s": ()})
    stage.time.advance(1_000)
    stage.video(2)
    stage.from_subscriber(rtcp.build_pli(1, 200), 1)  # so that the next request waits for its turn
    stage.time.advance(100)
    stage.video(4)
    stage.relay.let_through(None)
    asked = len(stage.publisher.rtcp)
    stage.video(3, key=True)
    assert [len(pictures(stage, one)) for one in (0, 1)] == [1, 4]
    for number in range(5, 20):
        stage.video(number)
        step(stage)
    parts = [part for packet in stage.publisher.rtcp[asked:] for part in rtcp.split(packet)]
    assert rtcp.PSFB in [part.type for part in parts]
    stage.video(20, key=True)
    assert [len(pictures(stage, one)) for one in (0, 1)] == [2, 20]


def test_nor_is_one_of_another_layer_given_once_one_layer_has_come() -> None:
    stage = Stage("s", "t", layered=True)
    for subscription in stage.relay.publications["p", "camera"].subscriptions:
        subscription.layer.highest = "low"
    for rid in ("l", "h"):
        stage.layer(rid, 1, key=True)
    stage.relay.let_through({**OPEN, "s": ()})
    stage.layer("h", 3)
    stage.layer("l", 2)
    stage.relay.let_through(None)
    stage.layer("l", 3, key=True)
    before = len(pictures(stage, 0))
    publication = stage.relay.publications["p", "camera"]
    for subscription in publication.subscriptions:
        subscription.layer.highest = "high"
    publication.decide(stage.time.now())
    stage.layer("h", 2, key=True)
    assert len(pictures(stage, 0)) == before
