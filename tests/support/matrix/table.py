"""The matrix as text: between two marks of docs/network.md, everything else there is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tests.support.matrix.rows import FIREFOX, GATED, MATRIX, OVERTAKING, PLAIN, Failed, Line, Row

BEGIN, END = "<!-- matrix -->", "<!-- end of matrix -->"
COLUMNS = (
    *("loss", "RTT ms", "jitter ± ms", "concealed % up / down", "freezes a minute", "longest freeze s"),
    *("pictures/s", "lines", "buffer ms", "PESQ", "STOI", "seed", "s"),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def text(rows: Iterable[Row | Failed]) -> str:
    """Ours; the gates; lines with plain settings beside ours; lines with Firefox at the far end."""
    found = {row.key: row for row in rows}

    def cells(lines: Iterable[Line], name: str = "") -> list[str]:
        return [_line(line, found[line.key], name) for line in lines if line.key in found]

    beside: list[str] = []
    for line in PLAIN:
        if line.key in found:
            beside += [*cells([line], "plain: "), *cells([replace(line, plain=False)], "ours: ")]
    parts = (
        ("Every line", cells([*MATRIX, *OVERTAKING])),
        ("The gates", cells(GATED)),
        ("Plain settings beside ours", beside),
        ("The far one with Firefox", cells(FIREFOX)),
    )
    told = [one for title, part in parts if part for one in ("", f"{title}:", "", HEAD, *part)]
    return "\n".join(told[1:])


def _line(line: Line, row: Row | Failed, name: str = "") -> str:
    if isinstance(row, Failed):
        blank = ["–"] * (len(COLUMNS) - 6)
        return _cells(
            [name + line.told, line.rtt, line.jitter, f"failed: {row.reason}", *blank, row.seed, "–"]
        )

    def both(what: str, digits: int = 1) -> str:
        up, down = getattr(row.up, what), getattr(row.down, what)
        return f"{up:.{digits}f} / {down:.{digits}f}".replace("nan", "–")

    return _cells([
        name + line.told, line.rtt, line.jitter, both("concealed", 2), both("freezes", 0), both("longest", 2),
        both("frames"), both("height", 0), both("buffer", 0), both("pesq", 2), both("stoi", 2), row.seed,
        f"{row.seconds:.0f}{'' if row.connected else ', not connected'}",
    ])  # fmt: skip


def _cells(cells: list[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def put(path: Path, rows: Iterable[Row | Failed], commit: str) -> None:
    """Replaces what stands between the marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\nCommit {commit}.\n\n{text(rows)}\n{END}{after}")


def load(path: Path) -> dict[str, Row]:
    """Rows kept from an earlier run, by key."""
    if not path.is_file():
        return {}
    return {row.key: row for row in (Row.of(json.loads(one)) for one in path.read_text().splitlines())}


def keep(path: Path, row: Row) -> None:
    with path.open("a") as out:
        out.write(json.dumps(row.as_dict()) + "\n")
