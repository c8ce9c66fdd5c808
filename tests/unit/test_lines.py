"""A receiver's line in the media plane: its estimate decides which layer it gets, and the room is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from media.downlink import Downlink
from media.layers import HIGH, LOW
from media.lines import Lines
from media.plan import PeerPlan, RoomPlan
from media.rtp import rtcp
from media.trial import Trial
from tests.support.outbox import MS, Stage, fields

FRAME_MS = 33


class Told(list[dict[str, Any]]):
    """The events of a room's lines, in order."""

    def last(self, peer: str) -> dict[str, Any]:
        return next(event["peers"][peer] for event in reversed(self) if peer in event["peers"])


class Playing:
    """A stage with two layers flowing, its lines looked at as a worker would."""

    def __init__(self, *subscribers: str) -> None:
        self.stage = Stage(*subscribers, layered=True)
        self.told = Told()
        self.lines = Lines(
            "room",
            3,
            self.stage.relay,
            self.told.append,
            self.stage.time.call_later,
            self.stage.time.now,
        )
        self.number = 0

    def run(self, seconds: float, keys: int = 15) -> None:
        for _ in range(int(seconds * 1000 / FRAME_MS)):
            for rid in (LOW, HIGH):
                self.stage.layer(rid, self.number, key=self.number % keys == 0)
            self.number += 1
            before = self.stage.time.now_ns // 100_000_000
            self.stage.time.advance(FRAME_MS)
            now_ns = self.stage.time.now_ns
            if now_ns // 100_000_000 != before:
                self.stage.relay.tick(now_ns)
                self.lines.tick(now_ns)
                if now_ns // 1_000_000_000 != before // 10:
                    self.lines.second(now_ns)

    def reported(self, seconds: int, least_ms: int, took_ms: int) -> None:
        """Each second the first receiver reports that a round trip, `least_ms` at best, took so long."""
        endpoint = self.stage.relay.endpoints["s"]
        endpoint.session.round_trip_ns = least_ms * MS  # type: ignore[misc]
        for _ in range(seconds):
            endpoint.round_trip_now_ns, endpoint.round_trip_told_ns = took_ms * MS, self.stage.time.now_ns
            self.run(1)

    def still(self, seconds: float) -> None:
        """Nobody sends anything."""
        for _ in range(int(seconds * 10)):
            self.stage.time.advance(100)
            self.stage.relay.tick(self.stage.time.now_ns)
            self.lines.tick(self.stage.time.now_ns)

    def remb(self, bps: int, index: int = 0) -> None:
        self.stage.from_subscriber(rtcp.build_remb(1, bps, [200]), index)

    def got(self, index: int = 0) -> str:
        """The rid of the last picture packet a subscriber got, "" for none since the last call."""
        sent = [packet for packet in self.stage.subscribers[index].rtp if fields(packet)[3] == 200]
        self.stage.subscribers[index].rtp.clear()
        return chr(sent[-1][-3]) if sent else ""


def test_without_trouble_everybody_gets_the_best_whatever_small_estimate_they_begin_with() -> None:
    playing = Playing("s")
    playing.run(2)
    playing.remb(300_000)
    playing.run(2)
    assert playing.got() == HIGH
    assert playing.told.last("s") == {"down_bps": 0, "paused": [], "mode": "full"}


@pytest.mark.parametrize("seconds", [1.2, 14.0])
def test_an_estimate_that_fell_because_the_way_was_broken_takes_nothing_away(seconds: float) -> None:
    playing = Playing("s")
    playing.run(2)
    playing.remb(1_500_000)
    playing.run(2)
    playing.still(seconds)
    playing.run(0.5)
    playing.remb(100_000)
    playing.run(4)
    playing.remb(140_000)
    playing.got()
    playing.run(2)
    assert playing.got() == HIGH
    assert playing.told.last("s")["paused"] == []


@pytest.mark.parametrize(
    ("bps", "rid", "paused"), [(400_000, LOW, []), (100_000, "", [["p", "camera", "thin"]])]
)
def test_an_estimate_that_falls_takes_the_layer_that_fits_and_says_so(
    bps: int, rid: str, paused: list[object]
) -> None:
    playing = Playing("s", "t")
    playing.run(2)
    playing.remb(2_000_000)
    playing.run(1)
    playing.remb(bps)
    playing.run(1)
    playing.got()
    playing.run(2)
    assert playing.got() == rid
    assert playing.got(1) == HIGH, "the other one's line is not concerned"
    assert playing.told.last("s") == {"down_bps": 0, "paused": paused, "mode": "thin"}
    assert playing.told.last("t")["mode"] == "full"
    assert playing.told[-1]["ev"] == "lines"
    assert (playing.told[-1]["room"], playing.told[-1]["epoch"]) == ("room", 3)


def test_a_loss_that_stays_takes_pictures_away_and_names_itself() -> None:
    playing = Playing("s")
    playing.run(2)
    playing.remb(900_000)
    for second in range(1, 13):
        playing.stage.from_subscriber(
            rtcp.build_receiver_report(1, [rtcp.ReportBlock(200, 0, 40 * second, 100 * second, 0, 0, 0)])
        )
        playing.run(1)
    assert playing.told.last("s") == {
        "down_bps": 0,
        "paused": [["p", "camera", "lossy"]],
        "mode": "thin",
    }


def test_a_loss_by_chance_takes_nothing_away() -> None:
    playing = Playing("s")
    lost = 0
    for second, more in enumerate([10, 12, 7, 13, 10] * 3):
        lost += more
        playing.stage.from_subscriber(
            rtcp.build_receiver_report(1, [rtcp.ReportBlock(200, 0, lost, 100 * second, 0, 0, 0)])
        )
        playing.run(1)
    assert playing.told.last("s")["mode"] == "full"


def test_what_is_shown_small_is_sent_low_and_what_is_not_shown_is_not_sent() -> None:
    playing = Playing("s")
    playing.run(1)

    def show(height: int) -> None:
        peers = {"p": PeerPlan("c"), "s": PeerPlan("c", view=(("p", "camera", height),))}
        playing.lines.apply(RoomPlan("room", 3, 1, peers=peers), playing.stage.time.now_ns)

    for height, rid in [(900, HIGH), (160, LOW), (0, ""), (160, LOW), (900, HIGH)]:
        show(height)
        playing.run(1.2)
        playing.got()
        playing.run(1)
        assert playing.got() == rid, height
    assert {event["peers"]["s"]["mode"] for event in playing.told if "s" in event["peers"]} == {"full"}


def test_the_room_hears_of_changes_only_and_at_most_once_a_second() -> None:
    playing = Playing("s")
    playing.run(2)
    for step in range(30):
        playing.remb(300_000 if step % 2 else 110_000)
        playing.run(0.2)
    assert 2 <= len(playing.told) <= 9
    before = len(playing.told)
    playing.run(5)
    assert len(playing.told) <= before + 2


def test_a_queue_that_was_reported_long_ago_is_none_now() -> None:
    playing = Playing("s")
    playing.run(2)
    playing.remb(2_000_000)
    playing.reported(4, 20, 900)
    assert playing.told.last("s")["mode"] == "thin"
    began = playing.stage.time.now_ns
    while not playing.stage.subscribers[0].probes:
        playing.run(1)
        assert playing.stage.time.now_ns - began < 8_000 * MS, "the line is tried again"


def estimated(line: Downlink, remb_bps: int, sent_bps: int, now_ns: int) -> bool:
    """Whether an estimate says that this is too much. If so it is believed: no check speaks against it."""
    if not line.suspects(remb_bps, sent_bps, now_ns):
        return False
    line.believe(now_ns, 0)
    return True


def test_while_little_is_sent_a_small_estimate_is_no_first_sign_of_trouble() -> None:
    line = Downlink(0)
    for second, remb_bps in enumerate((40_000, 16_000, 9_000, 9_000, 9_000, 9_000), 1):
        assert not estimated(line, remb_bps, 42_000, second * 1000 * MS)
    assert line.limit_bps is None
    assert estimated(line, 90_000, 130_000, 7_000 * MS) or estimated(line, 80_000, 130_000, 8_000 * MS)
    assert line.limit_bps == 100_000


def test_a_small_estimate_beside_a_voice_alone_takes_no_trials_turn() -> None:
    """A page that gets no picture has no reason to believe in more than it did."""
    line = Downlink(0)
    assert not estimated(line, 500_000, 900_000, 900 * MS)
    assert estimated(line, 400_000, 900_000, 1000 * MS)
    estimated(line, 8_000, 900_000, 1500 * MS)
    for second in range(2, 30):
        assert not estimated(line, 8_000, 15_000, second * 1000 * MS), second
    assert line.tries(True, 5_000 * MS)


def test_a_trial_asks_on_where_a_lossy_line_loses_its_pairs() -> None:
    answers: deque[tuple[int, Callable[[int, int], None]]] = deque()
    asked = 0

    class Lossy:
        def probe(self, fill: int, heard: Callable[[int, int], None]) -> bool:
            nonlocal asked
            asked += 1
            if asked > 9:  # what was asked before is lost
                answers.append((now_ns, heard))
            return True

    now_ns = MS
    trial = Trial(Lossy(), lambda size, at_ns: size, 100_000, 200_000, 0, now_ns)
    verdict = None
    while verdict is None:
        now_ns += 30 * MS
        while answers and answers[0][0] + 300 * MS <= now_ns:
            sent_ns, heard = answers.popleft()
            heard(sent_ns, now_ns)
        verdict = trial.step(now_ns)
    assert verdict


def test_one_second_without_a_way_is_no_lossy_line() -> None:
    line = Downlink(0)
    assert not line.lost(0.8, 400_000, 1000 * MS)
    assert not line.lost(0.0, 400_000, 2000 * MS)
    assert line.limit_bps is None
    assert not line.lost(0.4, 400_000, 3000 * MS)
    assert line.lost(0.4, 400_000, 4000 * MS)
    assert line.why == "lossy"


def test_a_way_that_has_become_longer_is_no_queue_for_ever() -> None:
    playing = Playing("s")
    playing.run(2)
    playing.remb(2_000_000)
    playing.reported(5, 2, 350)
    assert playing.told.last("s")["mode"] == "thin"
    playing.reported(20, 2, 350)
    assert playing.stage.subscribers[0].probes, "the line is tried again"
