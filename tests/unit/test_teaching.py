"""Only with the patient's yes is a recording used for teaching; silence is a no where somebody is real."""

from __future__ import annotations

import pytest

from server.domain.teaching import may_teach


@pytest.mark.parametrize("bases", [(), ("medical_personnel",), ("demonstration", "direct_care")])
def test_a_real_patients_yes_alone_lets_a_recording_be_used_for_teaching(bases: tuple[str, ...]) -> None:
    assert may_teach("granted", bases)
    for said in ("undecided", "declined", "withdrawn", "outdated", "unwitnessed"):
        assert not may_teach(said, bases), said


def test_where_nobody_is_real_silence_is_no_obstacle_and_a_no_is_one_all_the_same() -> None:
    assert may_teach("undecided", ["demonstration"])
    assert not may_teach("declined", ["demonstration"])
    assert not may_teach("withdrawn", ["demonstration"])
