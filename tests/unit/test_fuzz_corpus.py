"""Every input that fuzzing has kept, and a few thousand random changes of them, through its target."""

from __future__ import annotations

import random

import pytest

from tests.support.fuzz import corpus
from tests.support.fuzz.targets import TARGETS, seeds

CHANGES = 300


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_kept_input_and_no_change_of_one_breaks_a_promise(name: str) -> None:
    target, kept = TARGETS[name], corpus.load(name)
    assert kept, f"no corpus: python -m tests.support.fuzz.run --keep {name}"
    inputs = [*seeds(name), *kept]
    for data in inputs:
        target(data)
    luck = random.Random(name)
    for _ in range(CHANGES):
        target(changed(luck.choice(inputs), luck))


def changed(data: bytes, luck: random.Random) -> bytes:
    """One input with a byte set, a piece cut out or a piece doubled."""
    if not data:
        return luck.randbytes(8)
    at, size = luck.randrange(len(data)), luck.randrange(1, 9)
    return luck.choice(
        [
            data[:at] + luck.randbytes(1) + data[at + 1 :],
            data[:at] + data[at + size :],
            data[: at + size] + data[at:],
            data[:at] + luck.choice([b"\x00", b"\xff", b"\x80"]) * size + data[at + size :],
        ]
    )
