"""Survival mode in a room without a network: who is spared what, and that it ends."""

from __future__ import annotations

from typing import Any

import pytest

from media.capacity import FILL
from media.lines import Lines
from media.plan import PeerPlan, RoomPlan
from media.rtp import rtcp
from media.rtp.twcc import INTERVAL_NS, SPARING_NS
from tests.support.outbox import MS, Outbox, Stage
from tests.unit.test_relay import plis

THIN_GAP_MS, GOOD_GAP_MS = 92, 4


class Room:
    """`p` sends a camera in layers, `s` has a line that may be thin, `t` a good one."""

    def __init__(self) -> None:
        self.stage = Stage("s", "t", layered=True)
        self.told: list[dict[str, Any]] = []
        time = self.stage.time
        self.lines = Lines("room", 1, self.stage.relay, self.told.append, time.call_later, time.now)
        self.thin, self.good = self.stage.subscribers
        self.gap_ms = GOOD_GAP_MS
        self.number = 0
        self.size = 20
        self.audio: list[int] = []

    def estimate(self, outbox: Outbox, bps: int) -> None:
        assert outbox.sink is not None
        outbox.sink.on_rtcp(rtcp.build_remb(9, bps, [100]), self.stage.time.now_ns)

    def answer(self, outbox: Outbox) -> None:
        """What the browser behind this line does with probes: 300 ms later, so far apart."""
        sent, outbox.probes = outbox.probes, []
        at_ns = self.stage.time.now_ns
        for fill, heard in sent:
            late_ms = 300 + (self.gap_ms if fill and outbox is self.thin else 0)
            heard(at_ns, at_ns + late_ms * MS)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 30)):
            self.number += 1
            for rid in ("l", "h"):
                self.stage.layer(rid, self.number, key=self.number % 15 == 1, size=self.size)
            self.stage.time.advance(1000 / 30)
            if self.number % 3 == 0:
                now_ns = self.stage.time.now_ns
                self.stage.relay.tick(now_ns)
                self.lines.tick(now_ns)
                if self.number % 30 == 0:
                    self.lines.second(now_ns)
                for outbox in (self.thin, self.good):
                    self.answer(outbox)

    def mode(self, peer: str) -> str:
        said = [event["peers"][peer]["mode"] for event in self.told if peer in event["peers"]]
        return str(said[-1])

    def levels(self) -> dict[str, str]:
        endpoints = self.stage.relay.endpoints
        return {p: endpoints[p].subscriptions["p", "camera"].layer.highest for p in ("s", "t")}


def in_survival() -> Room:
    room = Room()
    room.run(3)
    room.gap_ms = THIN_GAP_MS
    room.estimate(room.thin, 60_000)
    room.run(6)
    return room


def test_a_thin_line_is_told_and_gets_stills_while_the_others_go_on() -> None:
    room = in_survival()
    assert (room.mode("s"), room.mode("t")) == ("survival", "full")
    assert room.levels() == {"s": "stills", "t": "high"}
    assert all(fill in (0, FILL) for fill, _ in room.thin.probes)


def test_every_voice_in_the_room_is_offered_sparingly_and_only_the_thin_line_is_fed_back_to_rarely() -> None:
    room = in_survival()
    assert [out.sparing for out in (room.stage.publisher, room.thin, room.good)] == [True] * 3
    ends = room.stage.relay.endpoints
    assert [ends[p].twcc.interval_ns for p in ("s", "t")] == [SPARING_NS, INTERVAL_NS]
    room.stage.relay.expect("s", True, True)


def test_the_journal_is_told_from_when_to_when() -> None:
    room = Room()
    told: list[tuple[str, bool]] = []
    room.lines.on_survival = lambda peer, held: told.append((peer, held))
    room.run(3)
    room.gap_ms = THIN_GAP_MS
    room.estimate(room.thin, 60_000)
    room.run(12)
    room.gap_ms = GOOD_GAP_MS
    room.run(15)
    assert told == [("s", True), ("s", False)]


def test_a_low_estimate_over_a_good_line_is_no_survival() -> None:
    room = Room()
    room.run(3)
    room.estimate(room.thin, 60_000)
    room.run(20)
    assert room.mode("s") != "survival"
    assert not room.thin.sparing


def test_when_the_line_is_good_again_everything_returns_within_fifteen_seconds() -> None:
    room = in_survival()
    room.run(10)
    room.gap_ms = GOOD_GAP_MS
    room.run(15)
    assert room.mode("s") == "full"
    assert room.levels() == {"s": "high", "t": "high"}
    assert not any(out.sparing for out in (room.stage.publisher, room.thin, room.good))


def test_what_a_page_believed_while_it_got_stills_takes_no_picture_from_it_afterwards() -> None:
    room = in_survival()
    room.size = 1_000
    room.estimate(room.thin, 8_000)
    room.gap_ms = GOOD_GAP_MS
    while room.mode("s") == "survival":
        room.run(0.5)
    for _ in range(20):
        room.run(0.3)
        room.estimate(room.thin, 8_000)
        assert room.levels()["s"] in ("low", "high")


def test_the_page_alone_can_say_that_its_way_up_is_thin() -> None:
    room = Room()
    room.run(2)
    plan = {p: PeerPlan("c", up_thin=p == "t") for p in ("p", "s", "t")}
    room.lines.apply(RoomPlan("room", 1, 1, peers=plan), room.stage.time.now_ns)
    room.run(5)
    assert (room.mode("t"), room.mode("s")) == ("survival", "full")


def test_stills_some_seconds_apart_raise_no_alarm_and_a_camera_that_died_does() -> None:
    stage = Stage("s", layered=True)
    stage.relay.expect("p", True, True)
    stage.states.clear()
    stage.publisher.connect()
    stage.layer("l", 1, key=True)
    stage.relay.be_patient("p", True)
    stage.time.advance(5_000)
    stage.audio(1)
    assert stage.relay.silent(stage.time.now_ns, {"p": True}) == []
    stage.time.advance(8_000)
    stage.audio(2)
    assert stage.relay.silent(stage.time.now_ns, {"p": True}) == [("p", "camera")]


def test_a_camera_behind_a_thin_line_is_not_asked_twice_for_one_key_frame() -> None:
    stage = Stage("s", layered=True)
    stage.layer("l", 1, key=True)

    def asked(patient: bool, first: int) -> int:
        stage.relay.expect("p", True, True)
        stage.relay.be_patient("p", patient)
        before = plis(stage.publisher)
        for number in range(first, first + 30):  # three seconds, and no key frame comes
            stage.time.advance(100)
            stage.layer("l", number)
            stage.relay.ask_keyframe("p", "camera", "l")
            stage.relay.tick(stage.time.now_ns)
        return plis(stage.publisher) - before

    assert asked(False, 2) >= 5
    assert 1 <= asked(True, 40) <= 3


def test_who_comes_while_a_line_is_thin_is_offered_a_sparing_voice_too() -> None:
    room = in_survival()
    late = room.stage.join_subscriber("u")
    room.run(0.5)
    assert late.sparing


@pytest.mark.parametrize(("gap_ms", "level"), [(1, "high"), (20, "off")])
def test_a_line_that_leaves_it_begins_with_what_was_measured(gap_ms: int, level: str) -> None:
    """668 bytes in so many ms: 5 Mbit/s, or 270 kbit/s, of which a picture would leave voices too little."""
    room = in_survival()
    room.size, room.gap_ms = 600, gap_ms
    for _ in range(600):
        room.run(0.1)
        if room.levels()["s"] != "stills":
            break
    assert room.levels()["s"] == level
    room.gap_ms = 1
    room.run(10)
    assert room.levels()["s"] in ("low", "high")


def test_when_the_thin_one_leaves_everything_returns() -> None:
    room = in_survival()
    room.stage.relay.forget("s")
    room.run(0.5)
    assert not room.stage.publisher.sparing
