"""Robust lines: what wrong reports, steps and drift may not do to the session's clock."""

from __future__ import annotations

import random

import pytest

from media.clock import NS
from media.finalise_time import Connection, cut, tie
from media.regression import MAX_PAIRS, LeastDelay, SenderReports, fit, theil_sen
from tests.unit.test_clock import stream

RATE = 48_000
BASE = 10**18
UNWRAPPED = 1 << 32
"""What a stream adds to its RTP times."""


def reports(count: int, ppm: float = 0.0, noise_ns: float = 2e6, seed: int = 1) -> list[tuple[int, int]]:
    """One report in five seconds, of a sound card that is off by `ppm`."""
    chance = random.Random(seed)
    return [
        (round(n * 5 * RATE * (1 + ppm * 1e-6)), BASE + n * 5 * NS + int(chance.gauss(0, noise_ns)))
        for n in range(count)
    ]


@pytest.mark.parametrize("many", [MAX_PAIRS, 4 * MAX_PAIRS])
def test_the_slope_holds_while_a_quarter_of_the_points_is_wrong(many: int) -> None:
    chance = random.Random(2)
    points = [(float(x), 3.0 * x + chance.gauss(0, 0.5)) for x in range(many)]
    for i in range(0, many, 4 if many <= MAX_PAIRS else 7):
        points[i] = (points[i][0], points[i][1] + chance.uniform(500, 900))
    assert abs(theil_sen(points, 1.0) - 3.0) < 0.05
    line = fit(points, 3.0, 0.1)
    assert abs(line.at(many / 2) - 3.0 * many / 2) < 1.0
    assert line.spread < 2.0, "what was left out is not in the spread"


@pytest.mark.parametrize("ppm", [-100, 0, 100])
def test_drift_of_a_hundred_ppm_is_followed_over_an_hour(ppm: int) -> None:
    found = SenderReports(reports(720, ppm), RATE)
    for second in (0, 3, 1800, 3590, 3600):
        rtp = round(second * RATE * (1 + ppm * 1e-6))
        assert abs(found.ntp_ns(rtp) - BASE - second * NS) < 5_000_000
    assert found.spread_ns < 6_000_000


def test_outliers_everywhere_move_nothing_and_are_not_believed() -> None:
    points = reports(100)
    wrong = set(range(3, 100, 5))
    told = [(x, y + (NS if i in wrong else 0)) for i, (x, y) in enumerate(points)]
    found = SenderReports(told, RATE)
    assert all(abs(found.ntp_ns(i * 5 * RATE) - BASE - i * 5 * NS) < 5_000_000 for i in range(100))
    assert found.spread_ns < 6_000_000
    assert len(found.believed) == 80


@pytest.mark.parametrize("count", [2, 3, 4, 12])
def test_a_wrong_first_report_is_not_followed(count: int) -> None:
    points = reports(count)
    points[0] = (points[0][0], points[0][1] - 400_000_000)
    found = SenderReports(points, RATE)
    assert abs(found.ntp_ns((count - 1) * 5 * RATE) - BASE - (count - 1) * 5 * NS) < 20_000_000


def test_a_queue_that_stands_for_minutes_moves_no_floor() -> None:
    chance = random.Random(4)
    points = []
    for second in range(1800):
        queue = 300_000_000 if 600 <= second < 1000 else 0
        sent = second * NS
        points.append((sent, int(sent * (1 - 80e-6)) + 40_000_000 + queue + int(chance.expovariate(1 / 2e7))))
    line = LeastDelay(points)
    for second in (0, 800, 1799):
        true = int(second * NS * (1 - 80e-6)) + 40_000_000
        assert abs(line.server_ns(second * NS) - true) < 12_000_000


def test_rtp_time_that_stood_still_for_a_fifth_of_a_second_cuts_a_run() -> None:
    """A sound card that lost 200 ms: too short a pause to be seen in arrivals, but the reports tell."""
    spans: list[tuple[float, float, float]] = [(0, 60, 0), (60.2, 60, 60)]
    told: list[tuple[float, float, float]] = [(n, n, n + 0.01) for n in range(2, 60, 5)]
    told += [(n - 0.2, n, n + 0.01) for n in range(62, 120, 5)]
    made = stream(spans, reports=told)
    runs = tie(Connection([made]))
    assert len(runs) == 2
    at = [run.at(round(media * RATE) + UNWRAPPED) / NS for run, media in zip(runs, (30, 90), strict=True)]
    assert abs(at[0] - 30.01) < 0.01
    assert abs(at[1] - 90.21) < 0.01
    assert 59 < runs[1].starts() / NS < 62


def test_a_senders_clock_that_steps_is_taken_back_and_cuts_nothing() -> None:
    told: list[tuple[float, float, float]] = [
        (n, n + (0.5 if n > 60 else 0), n + 0.01) for n in range(2, 120, 5)
    ]
    made = stream([(0, 120, 0)], reports=told)
    (run,) = cut(made)
    assert (
        max(ntp - rtp * NS // RATE for rtp, ntp, _ in run.reports)
        - min(ntp - rtp * NS // RATE for rtp, ntp, _ in run.reports)
        < 5_000_000
    )
    (run,) = tie(Connection([made]))
    assert abs(run.at(100 * RATE + UNWRAPPED) / NS - 100.01) < 0.01
