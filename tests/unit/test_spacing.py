"""How far key frames lie apart: in order of time whatever stream they came in, and not over an absence."""

from __future__ import annotations

from media.recordstore.spacing import key_spacing, merged


def test_key_frames_of_several_streams_are_taken_in_order_of_time() -> None:
    of_a_reload = [8000, 9000, 0, 1000, 7000]
    assert key_spacing(of_a_reload, [[0, 10_000]]) == {"count": 5, "max_ms": 6000, "p95_ms": 6000}


def test_an_absence_between_two_key_frames_does_not_count() -> None:
    assert key_spacing([0, 2000, 60_000], [[0, 3000], [60_000, 61_500]])["max_ms"] == 2000
    assert key_spacing([0, 2000], [[0, 3000], [60_000, 63_500]])["max_ms"] == 4500, "two without a key frame"


def test_spans_of_streams_that_overlap_or_come_out_of_order_are_one() -> None:
    assert merged([(5000, 9000), (0, 5200), (20_000, 21_000)], 1500) == [[0, 9000], [20_000, 21_000]]
    assert merged([(0, 9000), (2000, 4000)], 1500) == [[0, 9000]]
    assert merged([], 1500) == []
