"""The matrix as text: between two marks of docs/network.md, everything else there is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.support.matrix.rows import FIREFOX, GATED, MATRIX, PLAIN, Line, Row

BEGIN, END = "<!-- matrix -->", "<!-- end of matrix -->"
COLUMNS = (
    *("loss", "RTT ms", "jitter ± ms", "concealed % up / down", "freezes a minute", "longest freeze s"),
    *("pictures/s", "lines", "buffer ms", "PESQ", "STOI", "seed", "s"),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def text(rows: Iterable[Row]) -> str:
    """Ours; some lines with plain settings beside ours; some with Firefox at the far end."""
    found = {row.key: row for row in rows}
    order = sorted({*MATRIX, *GATED}, key=lambda x: (x.rtt, x.jitter, x.bursty, x.loss))
    ours = [_line(line, found[line.key]) for line in order if line.key in found]
    beside = []
    for line in PLAIN:
        same = Line(line.loss, line.rtt, line.jitter, line.bursty)
        for name, one in (("plain", line), ("ours", same)):
            if one.key in found:
                beside.append(_line(one, found[one.key], f"{name}: "))
    fox = [_line(line, found[line.key]) for line in FIREFOX if line.key in found]
    return "\n".join(
        [
            *(HEAD, *ours, "", "Plain settings beside ours:", "", HEAD, *beside, ""),
            *("The far one with Firefox:", "", HEAD, *fox),
        ]
    )


def _line(line: Line, row: Row, name: str = "") -> str:
    def both(what: str, digits: int = 1) -> str:
        up, down = getattr(row.up, what), getattr(row.down, what)
        return f"{up:.{digits}f} / {down:.{digits}f}".replace("nan", "–")

    cells = [
        name + line.told, line.rtt, line.jitter, both("concealed", 2), both("freezes", 0), both("longest", 2),
        both("frames"), both("height", 0), both("buffer", 0), both("pesq", 2), both("stoi", 2), row.seed,
        f"{row.seconds:.0f}",
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def put(path: Path, rows: Iterable[Row]) -> None:
    """Replaces what stands between the marks."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text(rows)}\n{END}{after}")


def load(path: Path) -> dict[str, Row]:
    """Rows kept from an earlier run, by key."""
    if not path.is_file():
        return {}
    return {row.key: row for row in (Row.of(json.loads(one)) for one in path.read_text().splitlines())}


def keep(path: Path, row: Row) -> None:
    with path.open("a") as out:
        out.write(json.dumps(row.as_dict()) + "\n")
