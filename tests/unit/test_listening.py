"""The measure of who is heard when, itself measured: on rows as a page writes them down."""

from __future__ import annotations

import pytest

from tests.support.listening import changed_after, longest_gap, placed

STEP_MS = 1024 / 48
CUT = 50


def rows(volume_after: float, tone_after: float, late: dict[int, float] | None = None) -> list[list[float]]:
    """Two seconds of a tone at 0.3, after the block number CUT as told; some blocks are looked at late, and
    then everything that waited at once."""
    made, busy_until = [], 0.0
    for n in range(100):
        clock = n * STEP_MS
        now = 1_000_000 + clock
        busy_until = max(busy_until, now + (late or {}).get(n, 0.0))
        after = n >= CUT
        made.append([busy_until, clock, volume_after if after else 1.0, tone_after if after else 0.3, 0.001])
    return made


def test_a_closed_source_is_closed_when_nothing_comes_or_nothing_is_played() -> None:
    for told in (rows(1.0, 0.0), rows(0.0, 0.3)):
        took = changed_after(placed(told, 0), 1_000_000, 0.3, opens=False)
        assert took == pytest.approx(CUT * STEP_MS, abs=2 * STEP_MS)


def test_a_page_that_looks_late_changes_no_earlier_and_hardly_later() -> None:
    blocks = placed(rows(1.0, 0.0, late={CUT - 3: 400.0}), 0)
    took = changed_after(blocks, 1_000_000, 0.3, opens=False)
    assert took == pytest.approx(CUT * STEP_MS, abs=2 * STEP_MS)
    volume = placed(rows(0.0, 0.3, late={CUT - 3: 400.0}), 0)
    took = changed_after(volume, 1_000_000, 0.3, opens=False)
    assert took >= CUT * STEP_MS, "a volume is what it was until it was seen otherwise"
    assert took <= CUT * STEP_MS + 400


def test_what_stays_open_never_closes_and_what_is_missing_is_a_gap() -> None:
    with pytest.raises(AssertionError, match="never"):
        changed_after(placed(rows(1.0, 0.3), 0), 1_000_000, 0.3, opens=False)
    assert longest_gap(placed(rows(1.0, 0.3), 0), 0.3) == 0
    assert longest_gap(placed(rows(1.0, 0.0), 0), 0.3) == pytest.approx(50 * STEP_MS, abs=2 * STEP_MS)
    assert placed(rows(1.0, 0.3), 0)[0].stray == 0.001
