"""The finaliser's memory does not grow with what it reads; four hours of four people fit into 300 MB."""

from __future__ import annotations

import pytest

from media.bench.recording import measure

SMALL = 16
"""Bytes of a picture packet: what is kept of a packet does not depend on its size, and the test's time
does."""


def test_ten_times_as_much_takes_hardly_more_memory() -> None:
    short, long = (measure(2, seconds, SMALL) for seconds in (30, 300))
    assert short["finaliser_ok"]
    assert long["finaliser_ok"]
    assert long["packets"] == 10 * short["packets"]
    # An index of packets took 46 bytes for each: 4.5 MB for these, and three times that while it was sorted.
    assert long["finaliser_peak_mb"] - short["finaliser_peak_mb"] < 4, (short, long)


@pytest.mark.long
def test_four_hours_of_four_people_are_finalised_in_300_mb_at_fifty_times_real_time() -> None:
    figures = measure(4, 4 * 3600, SMALL)
    print(f"\n{figures}")  # noqa: T201
    assert figures["finaliser_ok"]
    assert figures["packets"] == 4 * 4 * 3600 * 180
    assert figures["finaliser_peak_mb"] < 300, figures
    assert figures["finaliser_times_real_time"] > 50, figures


@pytest.mark.long
def test_packets_of_full_size_are_finalised_at_fifty_times_real_time() -> None:
    figures = measure(4, 600, 1150)
    print(f"\n{figures}")  # noqa: T201
    assert figures["finaliser_ok"]
    assert figures["finaliser_times_real_time"] > 50, figures
