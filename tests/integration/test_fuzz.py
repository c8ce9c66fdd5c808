"""Coverage-guided fuzzing of every parser of network bytes; `python -m tests.support.fuzz.run`."""

from __future__ import annotations

import pytest

from tests.support.fuzz.run import fuzz
from tests.support.fuzz.targets import TARGETS

SECONDS = 15


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_fuzzing_finds_nothing(name: str) -> None:
    assert not fuzz(name, SECONDS, keep=False)
