"""`hyeopjin workers list | drain`: the media workers of the server that runs on this data directory.

`drain` is for upgrades: the worker takes no new consultations, those it has go on to their end, then a fresh
process takes its place and port.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from server.commands.directory import ConfigOption, DataOption, JsonOption, settings_of
from server.runtime.operator_socket import OperatorError, ask

PortOption = Annotated[int | None, typer.Option(help="TCP port of the instance, with redis_url")]

SENTENCES = {
    "no_server": "No server runs on this data directory, or it runs under another account.",
    "forbidden": "Only the account that runs the server, and root, may ask it.",
    "unknown_worker": "There is no such worker; `hyeopjin workers list` names them.",
    "away": "This worker is not running; the server is starting it again by itself.",
    "draining_already": "This worker is being drained already.",
}
ALONE = "It is the only one that takes rooms: new consultations are told to wait until it has been replaced."
LOOK_S = 0.5


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The media workers of a running server.", no_args_is_help=True)
    group.command("list")(list_workers)
    group.command("drain")(drain)
    app.add_typer(group, name="workers")


def list_workers(
    data: DataOption = None,
    config: ConfigOption = None,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Each worker: state, process, port, rooms, people and how much of what it may carry it carries."""
    found = _ask(settings_of(config, data, port).run_dir, {"op": "workers"})["workers"]
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        typer.echo(
            f"{one['name']}  {one['state']}  pid {one['pid'] or '-'}  port {one['port'] or '-'}"
            f"  rooms {one['rooms']}  people {one['people']}  load {one['load']:.0%}"
            f"  late {one['lag_p99_ms']:.0f} ms"
        )


def drain(
    worker: str,
    data: DataOption = None,
    config: ConfigOption = None,
    port: PortOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="return when a fresh process has its place")] = False,
) -> None:
    """Take no new consultations there; when the last has ended, replace the process."""
    run_dir = settings_of(config, data, port).run_dir
    answer = _ask(run_dir, {"op": "drain", "worker": worker})
    typer.echo(f"Worker {worker} is being drained; {answer['rooms']} rooms go on to their end.")
    if answer["alone"]:
        typer.echo(ALONE)
    while wait and not _replaced(run_dir, worker, int(answer["starts"])):
        time.sleep(LOOK_S)
    if wait:
        typer.echo(f"A fresh process is worker {worker} now.")


def _replaced(run_dir: Path, worker: str, starts: int) -> bool:
    found = _ask(run_dir, {"op": "workers"})["workers"]
    return any(
        one["name"] == worker and one["starts"] > starts and one["state"] == "serving" for one in found
    )


def _ask(run_dir: Path, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return ask(run_dir, request)
    except OperatorError as error:
        typer.echo(SENTENCES.get(error.code, f"The server refused: {error.code}."), err=True)
        raise typer.Exit(2) from None
