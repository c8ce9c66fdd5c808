"""The bench itself, small: one room for three seconds loses nothing and says what the issue promises."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from media.bench.cost import compare
from media.bench.report import measure

PROMISED = {
    "rooms",
    "packets_in",
    "packets_out",
    "lost",
    "cpu_us_per_forwarded_packet",
    "latency_ms",
    "rss_mb",
}


async def test_one_room_for_three_seconds_loses_corrupts_and_misroutes_nothing() -> None:
    figures = await measure(rooms=1, seconds=3)
    assert set(figures) >= PROMISED
    assert figures["lost"] == 0, figures
    assert figures["corrupt"] == figures["misrouted"] == 0, figures
    assert figures["generator"]["dropped"] == figures["generator"]["send_blocked"] == 0, figures
    skipped = figures["generator"]["skipped"]  # when the machine stood still
    assert figures["packets_in"] + skipped > 3 * 180 * 3 * 0.95, figures
    assert figures["packets_in"] > 400, figures
    assert figures["packets_out"] == 2 * figures["packets_in"], figures
    assert figures["journal_mb"] > 0.5, figures
    assert 0 < figures["cpu_us_per_forwarded_packet"] < 1000, figures


async def test_the_low_layers_of_cameras_are_recorded_and_nobody_gets_them_while_the_line_is_good() -> None:
    figures = await measure(rooms=1, seconds=2, layered=True)
    assert figures["lost"] == figures["corrupt"] == figures["misrouted"] == figures["low_forwarded"] == 0, (
        figures
    )
    assert figures["packets_in"] > figures["packets_out"] / 2 * 1.1, figures


@pytest.mark.long
async def test_a_bare_forwarder_is_measured_by_the_same_traffic_and_the_ratio_is_told() -> None:
    figures = await compare(rooms=2, seconds=2, times=1)
    (turn,) = figures["turns"]
    assert figures["ratio"] == round(turn["worker"] / max(0.01, turn["uvloop"]), 3), figures
    assert min(turn["worker"], turn["uvloop"], turn["asyncio"]) > 1, figures


def test_a_short_recording_is_finalised_whole_and_its_figures_are_told() -> None:
    command = [
        sys.executable,
        "-m",
        "server",
        "bench",
        "recording",
        "--parties",
        "2",
        "--seconds",
        "10",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    figures = json.loads(done.stdout)
    assert figures["finaliser_ok"]
    assert figures["packets"] == 2 * 10 * 180
    assert figures["journal_mb"] > 2 * 10 * 0.13 * 1.15, figures
    assert 0 < figures["us_per_packet"] < figures["cpu_us_per_packet"] < 1000, figures
    assert 0 < figures["fsync_ms"]["p50"] <= figures["fsync_ms"]["p99"] < 5000, figures
    assert figures["finaliser_times_real_time"] > 0
    assert 10 < figures["finaliser_peak_mb"] < 300, figures
