"""The judges of the matrix: what is whole scores so wherever it begins, and what is broken does not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.matrix.judge import HERTZ, judge, to_judged
from tests.support.matrix.rows import MATRIX, Line
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
