"""`python -m tests.support.matrix --write`: measures every row and writes the table into docs/network.md.

`--keep FILE` holds rows as they are done and does not measure them again; `--most N` ends after so many.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from tests.support.matrix import table
from tests.support.matrix.measure import SECONDS, SETTLE_S, measure
from tests.support.matrix.rows import GATED, MATRIX, PLAIN, Line, Row

NETWORK = Path(__file__).parents[3] / "docs" / "network.md"
SEED = 4000


def wanted(found: dict[str, Row], only: str) -> list[list[Line]]:
    """What is still to be measured, ours and plain apart."""
    ours = sorted({*MATRIX, *GATED}, key=lambda line: (line.rtt, line.jitter, line.bursty, line.loss))
    return [
        [line for line in group if line.key not in found and line.key.startswith(only)]
        for group in (ours, list(PLAIN))
    ]


async def run(arguments: argparse.Namespace) -> list[Row]:
    found = table.load(arguments.keep) if arguments.keep else {}
    left = arguments.most
    for group in wanted(found, arguments.only):
        todo = group[:left]
        left -= len(todo)
        if not todo:
            continue
        rows = measure(todo, SEED + len(found), settle_s=arguments.settle, seconds=arguments.seconds)
        async for row in rows:
            found[row.key] = row
            sys.stderr.write(f"{row}\n")
            if arguments.keep:
                table.keep(arguments.keep, row)
    return list(found.values())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.matrix", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/network.md")
    parser.add_argument("--keep", type=Path, help="rows are kept here, one JSON a line")
    parser.add_argument("--most", type=int, default=1000, help="measure at most so many rows")
    parser.add_argument("--only", default="", help="rows whose key (loss/rtt/jitter) begins so")
    parser.add_argument("--settle", type=float, default=SETTLE_S)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    rows = asyncio.run(run(arguments))
    sys.stdout.write(table.text(rows) + "\n")
    if arguments.write:
        table.put(NETWORK, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
