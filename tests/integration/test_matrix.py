"""What a consultation is worth over 6,000 km: real browsers through the impairment relay, gates on some rows.

The whole table is made by `.venv/bin/python -m tests.support.matrix --write`. With
`HYEOPJIN_MATRIX=FILE` rows measured here are kept in it, those that it has are only judged: the same table by
the same command with `--keep FILE`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.matrix import table
from tests.support.matrix.measure import measure
from tests.support.matrix.rows import (
    FIREFOX,
    GATED,
    MATRIX,
    OVERTAKING,
    PLAIN,
    Failed,
    Line,
    Row,
    Way,
    seed_of,
)

pytestmark = pytest.mark.browser

AT_3, AT_5, AT_10 = GATED


async def rows_of(lines: Sequence[Line], keep: Path | None = None) -> dict[str, Row]:
    """All of them, or what failed and why."""
    kept = table.load(keep) if keep else {}
    found: list[Row | Failed] = [kept[line.key] for line in lines if line.key in kept]

    def done(row: Row | Failed) -> None:
        found.append(row)
        if keep and isinstance(row, Row):
            table.keep(keep, row)

    todo = [(line, seed_of(line)) for line in lines if line.key not in kept]
    if todo:
        await measure(todo, done)
    sys.stdout.write(f"\n{table.text(found)}\n")
    failed = [one for one in found if isinstance(one, Failed)]
    assert not failed
    return {one.key: one for one in found if isinstance(one, Row)}


async def gate(line: Line, keep: Path | None = None) -> Row:
    return (await rows_of([line], keep))[line.key]


@pytest.fixture(scope="module")
def keep() -> Path | None:
    told = os.environ.get("HYEOPJIN_MATRIX")
    return Path(told) if told else None


def ways(row: Row) -> tuple[Way, Way]:
    return row.up, row.down


def freezes(way: Way, row: Row) -> int:
    return round(way.freezes * row.seconds / 60)


async def test_at_three_per_cent_and_150_ms_the_voice_is_whole_and_pictures_hardly_stop() -> None:
    """Beside other tests on the same two cores, which stop pictures as well: the best of three. 2 a minute of
    0.5 s at most: the minute below holds that."""
    for _ in range(3):
        row = await gate(replace(AT_3, seconds=15))
        if all(
            way.concealed <= 1.5 and freezes(way, row) <= 3 and way.longest <= 1.0 and way.stoi > 0.8
            for way in ways(row)
        ):
            return
    pytest.fail(str(row))


@pytest.mark.long
async def test_a_minute_at_three_per_cent_and_150_ms(keep: Path | None) -> None:
    row = await gate(AT_3, keep)
    for way in ways(row):
        assert way.concealed <= 1.5, row
        assert way.freezes <= 2, row
        assert way.longest <= 0.5, row


@pytest.mark.long
async def test_at_five_per_cent_and_200_ms_hardly_any_of_the_voice_is_made_up(keep: Path | None) -> None:
    row = await gate(AT_5, keep)
    assert row.concealed <= 3, row


@pytest.mark.long
async def test_at_ten_per_cent_and_300_ms_both_are_connected_after_five_minutes_and_understood(
    keep: Path | None,
) -> None:
    row = await gate(AT_10, keep)
    assert row.connected
    for way in ways(row):
        assert way.concealed <= 5, row
        assert way.stoi >= 0.7, row


@pytest.mark.long
async def test_every_line_of_the_matrix_carries_a_voice_better_than_plain_settings_do(
    keep: Path | None,
) -> None:
    rows = await rows_of([*MATRIX, *OVERTAKING], keep)
    plain = await rows_of(PLAIN, keep)
    for one in rows.values():
        for way in ways(one):
            assert way.concealed <= 5, one
            assert way.stoi >= 0.6, one
    ours = sum(rows[replace(line, plain=False).key].concealed for line in PLAIN)
    assert ours < sum(one.concealed for one in plain.values())


@pytest.mark.long
async def test_a_far_firefox_sees_and_hears(keep: Path | None) -> None:
    for one in (await rows_of(FIREFOX, keep)).values():
        for way in ways(one):
            assert way.frames >= 5, one
            assert way.concealed <= 10, one
