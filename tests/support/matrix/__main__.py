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
from tests.support.matrix.rows import FIREFOX, GATED, MATRIX, PLAIN, Line, Row

NETWORK = Path(__file__).parents[3] / "docs" / "network.md"
SEED = 4000


def wanted(found: dict[str, Row], only: str) -> list[list[Line]]:
    """What is still to be measured, each group with a rig of its own."""
    # What is most like Seoul-Almaty first, should somebody stop it.
    ours = sorted({*MATRIX, *GATED}, key=lambda x: (x.jitter, abs(x.rtt - 150), x.rtt, x.bursty, x.loss))
    return [
        [line for line in group if line.key not in found and line.key.startswith(only)]
        for group in (list(PLAIN), ours, list(FIREFOX))
    ]


async def run(arguments: argparse.Namespace) -> list[Row]:
    found = table.load(arguments.keep) if arguments.keep else {}
    left = arguments.most
    for number, group in enumerate(wanted(found, arguments.only)):
        if arguments.group not in (None, number):
            continue
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
    parser.add_argument("--group", type=int, choices=(0, 1, 2), help="plain, ours or Firefox alone")
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
