"""The synthetic referral texts of tests/data/matching, as values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "data" / "matching"
SPECIALTIES: Final = frozenset(
    {
        "oncology",
        "orthopaedics",
        "cardiothoracic",
        "neurosurgery",
        "paediatrics",
        "gynaecology",
        "ent",
        "gastroenterology",
        "urology",
        "general",
    }
)


@dataclass(frozen=True)
class Vignette:
    """One referral text and what a coordinator would have made of it; see the README beside the data."""

    id: str
    synthetic: bool
    lang: str
    age: int | None
    chosen: str
    fields: dict[str, str]
    expect: tuple[str, ...]
    complete: bool
    missing: tuple[str, ...]


def read(name: str) -> tuple[Vignette, ...]:
    lines = (FOLDER / f"{name}.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return tuple(
        Vignette(**{**row, "expect": tuple(row["expect"]), "missing": tuple(row["missing"])}) for row in rows
    )


DEV: Final = read("dev")
HELD_OUT: Final = read("held_out")
