"""Whole minutes on a thin line, on a test's clock: pictures fit it, a voice never waits long, and they come
back."""

from __future__ import annotations

from itertools import pairwise
from statistics import quantiles
from typing import Any

import pytest

from media.layers import HIGH, LOW
from media.lines import Lines
from media.ports import Delivery, Uplink
from media.rtp import rtcp
from tests.support.outbox import Stage
from tests.support.thin_line import ThinLine

FRAME_MS = 20
SIZES = {LOW: 375, HIGH: 3000}
"""At 50 pictures a second: 150 kbit/s and 1.2 Mbit/s."""
VOICE = 140
EXAM = 600
"""240 kbit/s."""


class Minutes:
    """A publisher with two layers and a voice, and one receiver behind a line."""

    def __init__(self, rate_bps: float) -> None:
        self.stage = Stage(layered=True)
        ThinLine.clock = self.stage.time
        line = self.stage.join_subscriber("s", outbox=ThinLine)
        assert isinstance(line, ThinLine)
        self.line = line
        line.rate_bps = rate_bps
        self.told: list[dict[str, Any]] = []
        time = self.stage.time
        self.lines = Lines("room", 1, self.stage.relay, self.told.append, time.call_later, time.now)
        self.number = 0
        self.levels: list[tuple[float, str]] = []
        self.exam = False
        self.reports = False
        """Whether the layers have sender reports, by which a queue's length is known."""

    def examine(self) -> None:
        """The publisher shows an examination as well."""
        out = self.stage.publisher
        out.uplink["exam"] = Uplink("exam", "3", True, {50: 51})
        self.line.deliveries["p", "exam"] = Delivery("p", "exam", "6", 300, 301, True)
        for outbox in (out, self.line):
            assert outbox.sink is not None
            outbox.sink.on_negotiated()
        self.exam = True

    def run(self, seconds: float) -> None:
        stage, time = self.stage, self.stage.time
        for _ in range(int(seconds * 1000 / FRAME_MS)):
            for rid, size in SIZES.items():
                stage.layer(rid, self.number, key=self.number % 25 == 0, size=size)
                if self.reports and self.number % 50 == 0:
                    stage.layer_report(rid, self.number, 1000 + self.number // 50 << 32)
            stage.audio(self.number, payload=bytes(VOICE))
            if self.exam:
                payload = bytes([0x10, self.number % 25 > 0]) + bytes(EXAM)
                stage.rtp(96, self.number, self.number * 1800, 50, payload)
                if self.number % 50 == 0:
                    octets = self.number * EXAM
                    report = rtcp.SenderInfo(50, (self.number // 50) << 32, 0, self.number, octets)
                    stage.from_publisher(rtcp.build_sender_report(report))
            self.number += 1
            time.advance(FRAME_MS)
            self.line.answer()
            if self.number % 5 == 0:
                self.line.look()
                stage.relay.tick(time.now_ns)
                self.lines.tick(time.now_ns)
            if self.number % 50 == 0:
                self.lines.second(time.now_ns)
            level = stage.relay.endpoints["s"].subscriptions["p", "camera"].layer.highest
            if not self.levels or self.levels[-1][1] != level:
                self.levels.append((self.number * FRAME_MS / 1000, level))

    def since(self, second: float) -> list[tuple[float, str]]:
        return [(round(at - second, 1), level) for at, level in self.levels if at > second]

    @property
    def level(self) -> str:
        return self.levels[-1][1]

    def voice(self, from_s: float) -> tuple[float, float, float]:
        """(99th percentile of the wait in ms, the longest, share lost) from a second on."""
        waits = self.line.voice_ms[int(from_s * 1000 / FRAME_MS) :]
        heard = [wait for wait in waits if wait >= 0]
        return quantiles(heard, n=100)[98], max(heard), 1 - len(heard) / len(waits)


@pytest.mark.parametrize(("rate", "level"), [(400_000, "low"), (200_000, "off"), (3_000_000, "high")])
def test_a_line_gets_what_it_carries_and_nothing_flaps(rate: float, level: str) -> None:
    minutes = Minutes(rate)
    minutes.run(120)
    assert minutes.level == level
    assert len(minutes.since(10)) <= 6, minutes.levels
    told = minutes.told[-1]["peers"]["s"]
    assert told["mode"] == ("full" if level == "high" else "thin")
    assert level == "high" or 0.8 * rate < told["down_bps"] < 1.2 * rate, "what the whole line carries"
    late, latest, lost = minutes.voice(10)
    assert late < 150, (late, latest, lost)
    assert lost < 0.005


def test_the_first_seconds_on_a_thin_line_are_soon_over() -> None:
    minutes = Minutes(400_000)
    minutes.run(20)
    assert minutes.level == "low"
    late, latest, _ = minutes.voice(5)
    assert late < 200, (late, latest)


def test_a_paused_picture_is_back_within_ten_seconds_of_the_line() -> None:
    minutes = Minutes(180_000)
    for second in range(40, 200, 40):
        minutes.line.rate_bps = 180_000
        minutes.run(second - minutes.number * FRAME_MS / 1000)
        assert minutes.level == "off"
        minutes.line.rate_bps = 2_000_000
        minutes.run(10)
        back = [at for at, level in minutes.since(second) if level != "off"]
        assert back, minutes.since(second)
        assert back[0] <= 8, minutes.since(second)
        minutes.run(15)
        assert minutes.level == "high", minutes.since(second)


@pytest.mark.parametrize("rate", [235_000, 245_000, 255_000, 270_000, 300_000])
def test_what_is_hardly_too_much_is_tried_seldom(rate: float) -> None:
    """A picture and a voice take 253 kbit/s: pairs of checks cannot tell, and each trial costs the voice."""
    minutes = Minutes(3_000_000)
    minutes.reports = True
    minutes.line.noise_ms = 8
    minutes.run(25)
    minutes.line.rate_bps = rate
    minutes.run(120)
    waits = minutes.line.voice_ms[int(35_000 / FRAME_MS) :]
    assert sum(not 0 <= wait <= 80 for wait in waits) / len(waits) < 0.015, minutes.levels
    minutes.line.rate_bps = 2_000_000
    minutes.run(10)
    assert minutes.level != "off", minutes.levels


def test_a_line_that_becomes_thin_is_noticed_within_two_seconds() -> None:
    minutes = Minutes(3_000_000)
    minutes.run(30)
    minutes.line.rate_bps = 400_000
    minutes.run(10)
    assert minutes.level == "low"
    assert minutes.since(30)[0][0] <= 2, minutes.since(30)
    for one, two in pairwise(minutes.line.voice_ms[int(33_000 / FRAME_MS) :]):
        assert two - one < 60


def test_padding_is_little_of_what_a_thin_line_carries() -> None:
    minutes = Minutes(400_000)
    minutes.run(120)
    assert minutes.line.padding * 8 / 120 < 0.05 * 400_000


def test_where_pairs_of_checks_lie_padding_finds_the_truth_and_ends_at_once() -> None:
    minutes = Minutes(180_000)
    minutes.line.bursts = True
    minutes.run(60)
    assert minutes.level == "off"
    assert minutes.line.padding > 5_000
    assert not minutes.since(12), minutes.levels
    late, latest, lost = minutes.voice(12)
    assert latest < 350, (late, latest, lost)
    minutes.line.rate_bps = 2_000_000
    minutes.run(10)
    assert minutes.level != "off"


def test_an_examination_keeps_its_rate_on_a_thin_line_and_the_faces_go() -> None:
    minutes = Minutes(400_000)
    minutes.examine()
    minutes.run(20)
    before = dict(minutes.line.arrived)
    minutes.run(60)
    exam_bps = (minutes.line.arrived[300] - before[300]) * 8 / 60
    assert exam_bps > 0.97 * EXAM * 8 * 1000 / FRAME_MS, exam_bps
    assert minutes.level == "off"
    assert minutes.stage.relay.endpoints["s"].subscriptions["p", "exam"].layer.highest == "high"
    line = minutes.told[-1]["peers"]["s"]
    assert [row[:2] for row in line["paused"]] == [["p", "camera"]]
    late, latest, lost = minutes.voice(20)
    assert (late < 150, lost < 0.005) == (True, True), (late, latest, lost)
    minutes.line.rate_bps = 3_000_000
    minutes.run(10)
    assert minutes.level != "off"


def test_a_thin_line_that_becomes_thinner_is_seen_by_its_queue_while_its_estimate_lags() -> None:
    minutes = Minutes(3_000_000)
    minutes.run(20)
    for rate, level in [(400_000, "low"), (200_000, "off")]:
        minutes.line.rate_bps = rate
        minutes.run(8)
        assert minutes.level == level, minutes.levels
        assert minutes.since(minutes.number * FRAME_MS / 1000 - 8)[0][0] <= 6, minutes.levels
        minutes.run(12)
