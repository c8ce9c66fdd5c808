"""What a receiver gets of each picture: by its budget, by what its page shows, and in which order."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.allocation import Picture, allocate
from media.layers import Level

K = 1000


def face(source: str, height: int | None = None, level: Level = "high", **more: bool) -> Picture:
    return Picture(source, "camera", 150 * K, 1200 * K, height, level, **more)


def screen(level: Level = "high") -> Picture:
    return Picture("s", "screen", 200 * K, 1500 * K, 800, level)


def exam(level: Level = "high", bps: int = 300 * K) -> Picture:
    return Picture("e", "exam", 0, bps, 800, level)


TABLE: list[tuple[str, int | None, list[Picture], str, str]] = [
    (
        "the exam is kept while lesser ones fill its line",
        200 * K,
        [face("a", level="low"), exam()],
        "off high",
        "a",
    ),
    ("and given up when it fills it alone", 200 * K, [face("a", level="off"), exam()], "low off", "a e"),
    ("no limit is known", None, [face("a"), face("b"), screen(), exam()], "high high high high", ""),
    ("plenty", 5000 * K, [face("a"), face("b"), screen(), exam()], "high high high high", ""),
    ("faces first share, then rise", 1500 * K, [face("a"), face("b")], "high low", "b"),
    ("the larger face is the sharp one", 1500 * K, [face("a", 300), face("b", 700)], "low high", "a"),
    ("one low face", 200 * K, [face("a", 300), face("b", 700)], "off low", "a b"),
    ("nothing at all", 50 * K, [face("a"), face("b")], "off off", "a b"),
    ("the exam has its rate and the faces go", 340 * K, [face("a"), exam()], "off high", "a"),
    ("the exam before the screen", 540 * K, [face("a"), screen(), exam()], "off low high", "a s"),
    ("the screen before the faces", 340 * K, [face("a"), screen()], "low low", "a s"),
    (
        "an exam too large for the line leaves it to the rest",
        400 * K,
        [face("a", level="off"), exam(bps=1500 * K)],
        "low off",
        "a e",
    ),
    ("what is small is low and misses nothing", None, [face("a", 180), face("b", 500)], "low high", ""),
    ("what is not shown is off and misses nothing", None, [face("a", 0), face("b", 500)], "off high", ""),
    ("what is not shown costs nothing", 1200 * K, [face("a", 0), face("b", 500)], "off high", ""),
    ("what its sender does not send is not missed", 200 * K, [face("a", high_flows=False)], "low", ""),
    ("one stream only: all or nothing", 1000 * K, [Picture("a", "camera", 0, 1200 * K)], "off", "a"),
    ("a low layer only", 1000 * K, [Picture("a", "camera", 150 * K, 0)], "low", ""),
]


@pytest.mark.parametrize(
    ("what", "budget", "pictures", "levels", "reduced"), TABLE, ids=[row[0] for row in TABLE]
)
def test_the_table(what: str, budget: int | None, pictures: list[Picture], levels: str, reduced: str) -> None:
    found = allocate(budget, pictures)
    assert [found.levels[p.key] for p in pictures] == levels.split()
    assert sorted(source for source, _ in found.reduced) == reduced.split()
    assert [key for key in found.reduced if found.levels[key] == "off"] == found.paused or len(
        found.paused
    ) > 1


def test_a_step_up_needs_more_than_staying_does() -> None:
    for budget, level, expected in [
        (1200 * K, "low", "low"),
        (1200 * K, "high", "high"),
        (1310 * K, "low", "high"),
        (1100 * K, "high", "high"),
        (1000 * K, "high", "low"),
        (150 * K, "off", "off"),
        (150 * K, "low", "low"),
        (170 * K, "off", "low"),
        (140 * K, "low", "low"),
        (130 * K, "low", "off"),
    ]:
        assert allocate(budget, [face("a", level=level)]).levels["a", "camera"] == expected, (budget, level)  # type: ignore[arg-type]


PICTURES = st.lists(
    st.builds(
        lambda source, kind, low, more, *rest: Picture(source, kind, low, low + more if more else 0, *rest),
        st.sampled_from("abcde"),
        st.sampled_from(["camera", "screen", "exam"]),
        st.just(0) | st.integers(20 * K, 300 * K),
        st.just(0) | st.integers(20 * K, 3000 * K),
        st.none() | st.integers(0, 1200),
        st.sampled_from(get_args(Level)),
    ).filter(lambda picture: picture.low_bps or picture.high_bps),
    max_size=8,
    unique_by=lambda p: p.key,
)


@given(st.integers(0, 6000 * K), PICTURES)
def test_no_more_is_spent_than_there_is_and_what_is_wanted_next_can_be_had(
    budget: int, pictures: list[Picture]
) -> None:
    found = allocate(budget, pictures)
    cost = sum(p.cost(found.levels[p.key]) for p in pictures)
    assert cost == found.spent_bps
    assert found.kept or cost <= budget / 0.9 + 1, "what is there may cost a tenth too much"
    assert bool(found.need_bps) >= bool(found.reduced)
    if found.need_bps and not found.kept:
        more = allocate(max(budget, found.need_bps), pictures)
        assert more.levels != found.levels
    free = allocate(None, pictures)
    assert not free.reduced
    assert not free.need_bps


def test_a_layer_that_its_sender_does_not_send_is_no_reason_to_try_the_line() -> None:
    assert allocate(200 * K, [face("a", high_flows=False)]).need_bps == 0
    assert allocate(200 * K, [face("a")]).need_bps > 0
