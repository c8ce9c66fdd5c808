"""`hyeopjin bench`: what forwarding (`media`), recording (`recording`) and films (`export`) cost, measured.

It opens no database and no data directory, and talks to nothing but loopback.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Annotated, Any, Literal

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
    bench.command("cost")(cost)
    bench.command("scale")(scale)
    bench.command("soak")(soak)
    bench.command("flood")(flood)
    bench.command("recording")(recording)
    bench.command("export")(export)
    bench.callback()(group)
    app.add_typer(bench, name="bench")


def group() -> None:
    """Measure this machine."""


def media(
    rooms: Annotated[int, typer.Option(min=1, max=200, help="three-party rooms")] = 4,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="measured time")] = 10.0,
    record: Annotated[bool, typer.Option(help="record everybody")] = True,
    layered: Annotated[bool, typer.Option(help="cameras in two layers, as browsers send")] = False,
    native: Annotated[bool, typer.Option(help="the compiled path, where it was built")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Three-party rooms of synthetic peers against a real media worker with recording on."""
    from media.bench.report import BenchFailedError, measure

    try:
        figures = asyncio.run(measure(rooms, seconds, record, layered, native))
    except BenchFailedError as failure:
        typer.echo(json.dumps({"error": str(failure)}) if as_json else f"bench: {failure}", err=not as_json)
        raise typer.Exit(1) from failure
    typer.echo(json.dumps(figures) if as_json else table(figures))
    if figures["lost"] or figures["corrupt"] or figures["misrouted"]:
        raise typer.Exit(2)


def cost(
    rooms: Annotated[int, typer.Option(min=1, max=200, help="three-party rooms")] = 4,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="measured time of each turn")] = 8.0,
    times: Annotated[int, typer.Option(min=1, max=50, help="turns")] = 5,
    gate: Annotated[float, typer.Option(min=0, help="the most the ratio may be; 0: only tell")] = 1.6,
    janus: Annotated[bool, typer.Option(help="Debian's Janus in the same turns")] = False,
    native: Annotated[bool, typer.Option(help="the compiled path, where it was built")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """CPU per forwarded packet beside a bare forwarder, by turns; fails when the ratio is over the gate."""
    from media.bench.cost import compare
    from media.bench.janus import installed

    if janus and not installed():
        typer.echo("bench: Janus is not installed. On Debian: apt install janus", err=True)
        raise typer.Exit(1)
    figures = told(compare(rooms, seconds, times, native, janus), as_json)
    if gate and figures["ratio"] > gate:
        raise typer.Exit(2)


def scale(
    rooms: Annotated[int, typer.Option(min=1, max=200, help="three-party rooms, over all workers")] = 28,
    workers: Annotated[int, typer.Option(min=1, max=32)] = 2,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="measured time of each run")] = 10.0,
    times: Annotated[int, typer.Option(min=1, max=50, help="runs; medians are told")] = 5,
    joins: Annotated[int, typer.Option(min=0, max=200, help="people who join meanwhile, two a second")] = 0,
    native: Annotated[bool, typer.Option(help="the compiled path, where it was built")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Many rooms on several workers: share of a core, loss, latency, memory."""
    from media.bench.scale import scale as run

    told(run(rooms, workers, seconds, times, joins, native), as_json)


def soak(
    seconds: Annotated[float, typer.Option(min=10, max=86_400, help="measured time")] = 300.0,
    warm_up: Annotated[float, typer.Option(min=5, max=3600, help="before it")] = 60.0,
    native: Annotated[bool, typer.Option(help="the compiled path, where it was built")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """People come and go, two a second, recorded; fails when memory, descriptors or tasks have grown."""
    from media.bench.soak import soak as run

    if told(run(seconds, warm_up, native), as_json)["grown"]:
        raise typer.Exit(2)


def flood(
    kind: Annotated[Literal["junk", "media", "stun"], typer.Option(help="of what")] = "junk",
    seconds: Annotated[float, typer.Option(min=1, max=600, help="measured time")] = 10.0,
    native: Annotated[bool, typer.Option(help="the compiled path, where it was built")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """10,000 senseless datagrams a second beside a call; fails when they cost 20 % of a core, or a packet."""
    from media.bench.flood import measure as run

    figures = told(run(kind, seconds, native), as_json)
    if figures["percent_of_a_core"] > figures["most"] or figures["lost"] or figures["corrupt"]:
        raise typer.Exit(2)


def told(measuring: Coroutine[Any, Any, dict[str, Any]], as_json: bool) -> dict[str, Any]:
    """Measures and prints; ends with 1 when nothing could be measured."""
    from media.bench.report import BenchFailedError

    try:
        figures = asyncio.run(measuring)
    except BenchFailedError as failure:
        typer.echo(json.dumps({"error": str(failure)}) if as_json else f"bench: {failure}", err=not as_json)
        raise typer.Exit(1) from failure
    typer.echo(json.dumps(figures) if as_json else "\n".join(f"{k:32} {v}" for k, v in figures.items()))
    return figures


def export(
    seconds: Annotated[int, typer.Option(min=5, max=3600, help="length of the film")] = 60,
    tiles: Annotated[int, typer.Option(min=1, max=9, help="cameras")] = 3,
    height: Annotated[int, typer.Option(min=90, max=1080, help="of a camera's picture, 16:9")] = 720,
    layout: Annotated[Literal["grid", "speaker"], typer.Option()] = "grid",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """A film of synthetic cameras and voices through the real composition, on one core."""
    from media.bench.composing import measure as measure_film

    figures = measure_film(seconds, layout, tiles, height)
    typer.echo(json.dumps(figures) if as_json else "\n".join(f"{k:32} {v}" for k, v in figures.items()))


def recording(
    parties: Annotated[int, typer.Option(min=1, max=16, help="people who send sound and picture")] = 4,
    seconds: Annotated[int, typer.Option(min=10, max=36_000, help="length of the recording")] = 600,
    payload: Annotated[int, typer.Option(min=16, max=1400, help="bytes of a picture packet")] = 1150,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """A synthetic recording through the real recorder, store and finaliser, time compressed."""
    from media.bench.recording import measure as measure_recording

    figures = measure_recording(parties, seconds, payload)
    typer.echo(json.dumps(figures) if as_json else "\n".join(f"{k:32} {v}" for k, v in figures.items()))
    if not figures["finaliser_ok"]:
        raise typer.Exit(2)


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{label:32} {figures[name]}" for name, label in ROWS]
    age = figures["latency_ms"]
    lines.append(f"{'latency ms p50 / p99':32} {age['p50']} / {age['p99']}")
    return "\n".join(lines)
