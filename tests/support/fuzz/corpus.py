"""The kept corpus: one text file a target, one input a line in base64, to be read in a diff."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "corpus"
MOST = 250
"""Inputs kept of a target, the shortest ones: replaying all targets takes a second or two."""


def load(name: str) -> list[bytes]:
    """The inputs of a target; none when it has no file yet."""
    path = FOLDER / f"{name}.txt"
    if not path.exists():
        return []
    return [base64.b64decode(line) for line in path.read_text().split()]


def keep(name: str, inputs: Iterable[bytes]) -> int:
    """Writes the inputs, shortest first; returns how many were kept."""
    kept = sorted(set(inputs), key=lambda data: (len(data), data))[:MOST]
    FOLDER.mkdir(exist_ok=True)
    text = "".join(base64.b64encode(data).decode() + "\n" for data in kept)
    (FOLDER / f"{name}.txt").write_text(text)
    return len(kept)
