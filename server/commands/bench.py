"""`hyeopjin bench media`: the cost of forwarding and recording, measured on a real worker process.

It opens no database and no data directory, and talks to nothing but loopback.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

ROWS = (
    ("rooms", "rooms"),
    ("packets_in", "packets in"),
    ("packets_out", "packets out"),
    ("lost", "lost"),
    ("cpu_us_per_forwarded_packet", "CPU µs per forwarded packet"),
    ("rss_mb", "resident MB"),
)


def register(app: typer.Typer) -> None:
    """Adds the `bench` group to the command line."""
    bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
    bench.command("media")(media)
    bench.callback()(group)
    app.add_typer(bench, name="bench")


def group() -> None:
    """Measure this machine."""


def media(
    rooms: Annotated[int, typer.Option(min=1, max=200, help="three-party rooms")] = 4,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="measured time")] = 10.0,
    record: Annotated[bool, typer.Option(help="record everybody")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Three-party rooms of synthetic peers against a real media worker with recording on."""
    from media.bench.report import BenchFailedError, measure

    try:
        figures = asyncio.run(measure(rooms, seconds, record))
    except BenchFailedError as failure:
        typer.echo(json.dumps({"error": str(failure)}) if as_json else f"bench: {failure}", err=not as_json)
        raise typer.Exit(1) from failure
    typer.echo(json.dumps(figures) if as_json else table(figures))
    if figures["lost"] or figures["corrupt"] or figures["misrouted"]:
        raise typer.Exit(2)


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{label:32} {figures[name]}" for name, label in ROWS]
    age = figures["latency_ms"]
    lines.append(f"{'latency ms p50 / p99':32} {age['p50']} / {age['p99']}")
    return "\n".join(lines)
