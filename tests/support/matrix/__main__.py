"""`python -m tests.support.matrix --write`: measures every row and writes the tables into docs/network.md.

About 25 minutes, five of them one gate. `--keep FILE` holds rows as they are done and does not measure them
again; `--most N` ends after so many. A row that fails is written as failed, with its reason.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

from tests.support.matrix import table
from tests.support.matrix.measure import SECONDS, SETTLE_S, measure
from tests.support.matrix.rows import GROUPS, Failed, Row, seed_of

TOP = Path(__file__).parents[3]
NETWORK = TOP / "docs" / "network.md"


async def run(arguments: argparse.Namespace) -> list[Row | Failed]:
    found: dict[str, Row | Failed] = dict(table.load(arguments.keep) if arguments.keep else {})
    left = arguments.most

    def done(row: Row | Failed) -> None:
        found[row.key] = row
        sys.stderr.write(f"{row}\n")
        if arguments.keep and isinstance(row, Row):
            table.keep(arguments.keep, row)

    for name, group in GROUPS.items():
        if name not in arguments.group:
            continue
        todo = [
            (line, seed_of(line))
            for line in group
            if line.key not in found and line.key.startswith(arguments.only)
        ][: max(0, left)]
        left -= len(todo)
        for lines in [[one] for one in todo] if name == "gates" else [todo]:
            await measure(lines, done, settle_s=arguments.settle, seconds=arguments.seconds)
    return list(found.values())


def commit() -> str:
    """Of what is measured, as far as it is committed."""
    told = ["git", "-C", str(TOP), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.matrix", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/network.md")
    parser.add_argument("--keep", type=Path, help="rows are kept here, one JSON a line")
    parser.add_argument("--most", type=int, default=1000, help="measure at most so many rows")
    parser.add_argument("--only", default="", help="rows whose key (loss/rtt/jitter) begins so")
    parser.add_argument("--group", nargs="*", choices=list(GROUPS), default=list(GROUPS))
    parser.add_argument("--settle", type=float, default=SETTLE_S)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    at = commit()
    rows = asyncio.run(run(arguments))
    sys.stdout.write(table.text(rows) + "\n")
    if arguments.write:
        table.put(NETWORK, rows, at)
    return 1 if any(isinstance(row, Failed) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
