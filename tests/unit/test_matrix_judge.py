"""The judges of the matrix: what is whole scores so wherever it begins, and what is broken does not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.matrix import table
from tests.support.matrix.__main__ import GROUPS
from tests.support.matrix.judge import HERTZ, judge, to_judged
from tests.support.matrix.measure import reason
from tests.support.matrix.rows import MATRIX, PLAIN, Failed, Line, Row, Way
from tests.support.matrix.speech import Sound, speech


@pytest.fixture(scope="module")
def said() -> Sound:
    return to_judged(speech(6, 4000, 115.0))


def test_a_voice_that_comes_late_and_turned_round_its_end_is_whole(said: Sound) -> None:
    heard = judge(said, np.roll(said, -70_000))
    assert heard.pesq > 4.5
    assert heard.stoi > 0.999
    assert heard.level == pytest.approx(1, abs=0.01)


def test_lost_packets_cost_both_scores_and_silence_has_none(said: Sound) -> None:
    broken = said.copy()
    for at in range(0, len(broken), HERTZ // 10):
        broken[at : at + HERTZ // 50] = 0
    heard = judge(said, broken)
    assert heard.pesq < 2.5
    assert heard.stoi < 0.95
    assert judge(said, np.zeros_like(said)).stoi == 0
    assert judge(said, np.zeros_like(said)).pesq == 1


def test_the_matrix_has_every_line_once_and_bursts_lose_what_they_say() -> None:
    assert len({line.key for line in MATRIX}) == 36
    assert Line(3, 150, 30, bursty=True).profile().loss.share == pytest.approx(0.03)


def test_a_line_that_failed_is_in_the_table_with_its_reason_and_the_others_are_too(tmp_path: Path) -> None:
    way = Way(0.5, 2, 0.3, 15, 360, 200, 3.3, float("nan"), 1)
    good = Row(Line(3, 150, 0).key, 4012, 10.0, way, way)
    gate = Row(Line(10, 300, 0, seconds=300).key, 4302, 300.1, way, way, connected=False)
    bad = Failed(Line(3, 150, 0, plain=True).key, 4110, reason(ExceptionGroup("x", [TimeoutError("a|b\nc")])))
    page = tmp_path / "network.md"
    page.write_text("before\n<!-- matrix -->\nold\n<!-- end of matrix -->\nafter\n")
    table.put(page, [good, gate, bad], "abc1234")
    told = page.read_text()
    assert told.startswith("before\n<!-- matrix -->\nCommit abc1234.\n")
    assert told.endswith("<!-- end of matrix -->\nafter\n")
    assert "old" not in told
    lines = [line for line in told.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1, "all have as many cells"
    assert sum("0.50 / 0.50" in line for line in lines) == 3, "ours, ours beside plain, the gate"
    assert "failed: TimeoutError: a/b |" in told
    assert "300, not connected |" in told


def test_what_failed_is_not_kept_as_measured(tmp_path: Path) -> None:
    way = Way(0.5, 2, 0.3, 15, 360, 200, 3.3, 1, 1)
    row = Row("3/150/0", 4012, 10.0, way, way)
    table.keep(tmp_path / "rows", row)
    assert table.load(tmp_path / "rows") == {row.key: row}


def test_every_line_has_a_key_of_its_own() -> None:
    lines = [line for group in GROUPS.values() for line in group]
    assert len({line.key for line in lines}) == len(lines)
    assert {line.key for line in PLAIN} == {
        replace(line, plain=True).key for line in MATRIX if not line.jitter
    }


def test_the_plain_worker_asks_once_and_sends_nothing_twice() -> None:
    told = """
from tests.support.matrix.plain_worker import plain
plain()
from media.rtp.nack import MissingPackets
from media import subscription, tracks
missing = MissingPackets(tracks.MAX_TRIES)
missing.gap(1, 2, 0)
assert missing.due(0, 1, 300_000_000) == ([1], 0)
assert missing.due(10**12, 9, 300_000_000) == ([], 1)
assert subscription.FAR_NS > 10**15
"""
    subprocess.run([sys.executable, "-c", told], check=True, cwd=Path(__file__).parents[2])
