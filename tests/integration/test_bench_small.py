"""The bench itself, small: one room for three seconds loses nothing and says what the issue promises."""

from __future__ import annotations

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
    assert figures["packets_in"] > 3 * 180 * 3 * 0.95, figures
    assert figures["packets_out"] == 2 * figures["packets_in"], figures
    assert figures["journal_mb"] > 0.5, figures
    assert 0 < figures["cpu_us_per_forwarded_packet"] < 1000, figures
