"""`hyeopjin demo`: a synthetic consultation on this machine, ready to be opened in three windows.

It writes the seats file and prints the table only when the server answers /readyz.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from server.app import Running
from server.commands.certificate import self_signed
from server.commands.process import claim_directory, machinery_of, run_until_stopped
from server.config import ConfigError, Settings, load_settings
from server.i18n import text
from server.log import configure_logging
from server.runtime.tasks import TaskOwner
from server.services.demo import Demo, DemoTable

READY_TIMEOUT_S = 30.0
RENEW_CHECK_S = 60.0
WIDTH = 240


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="TCP port")] = 8080,
    data: Annotated[Path, typer.Option(help="data directory, made by demo")] = Path("data/demo"),
    seats_file: Annotated[Path | None, typer.Option(help="write links and accounts here")] = None,
    tls: Annotated[bool, typer.Option("--tls", help="https with a self-signed certificate")] = False,
    public: Annotated[bool, typer.Option("--public", help="for other machines too")] = False,
    programme: Annotated[
        bool, typer.Option("--programme", help="and 20 centres in 10 countries with 24 departments")
    ] = False,
    patient: Annotated[bool, typer.Option("--patient", help="with a fourth link, the patient's")] = False,
) -> None:
    """Serve the demo until Ctrl-C."""
    try:
        if public and not tls:
            raise ConfigError("--public needs --tls: browsers give cameras to secure pages only.")
        claim_directory(data, "DEMO", load_settings(None, data_dir=data).redis_url)
        settings = load_settings(None, **_settings(port, data, tls=tls, public=public))
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    configure_logging(settings.log_level, settings.log_format)
    if seats_file is not None:
        seats_file.unlink(missing_ok=True)  # an old one would promise what is not there yet
    run_until_stopped(settings, _announce(settings, seats_file, patient, programme), machinery_of(context))


def _settings(port: int, data: Path, *, tls: bool, public: bool) -> dict[str, Any]:
    scheme = "https" if tls else "http"
    host = primary_address() if public and tls else "localhost"
    chosen: dict[str, Any] = {
        "demo": True,
        "data_dir": data,
        "port": port,
        "public_url": f"{scheme}://{host}:{port}",
        "bind": ("0.0.0.0", "::") if public else ("127.0.0.1", "::1"),
    }
    if tls:
        chosen["tls_certificate"], chosen["tls_key"] = self_signed(data / "secrets" / "tls", host)
    return chosen


def primary_address() -> str:
    """This machine's address on its default route; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
        except OSError:
            return "localhost"
        return str(probe.getsockname()[0])


def _announce(
    settings: Settings, seats_file: Path | None, patient: bool, programme: bool
) -> Callable[[Running], Awaitable[None]]:
    async def ready(server: Running) -> None:
        world = Demo(
            server.services, settings.secrets_dir / "demo.json", patient=patient, programme=programme
        )
        table = await world.prepare()
        await _until_ready(server)
        _tell(table, seats_file)
        owner = TaskOwner("demo")
        server.closing.push_async_callback(owner.close)
        owner.spawn(_renew(world, table, seats_file, server), "renew")

    return ready


async def _until_ready(server: Running) -> None:
    async with asyncio.timeout(READY_TIMEOUT_S):
        while not all((await server.health.ready()).values()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def _renew(world: Demo, table: DemoTable, seats_file: Path | None, server: Running) -> None:
    """A new consultation when the day of the old one is over."""
    while True:
        await asyncio.sleep(RENEW_CHECK_S)
        if server.services.context.now_ms() >= table.closes_at_ms:
            table = await world.prepare()
            _tell(table, seats_file)


def _tell(table: DemoTable, seats_file: Path | None) -> None:
    _print(table)
    if seats_file is not None:
        _write(seats_file, table)


def _write(seats_file: Path, table: DemoTable) -> None:
    """Whole or not at all, and private: it holds passwords."""
    seats_file.parent.mkdir(parents=True, exist_ok=True)
    aside = seats_file.with_name(f".{seats_file.name}.tmp")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(table.as_json(), out, ensure_ascii=False, indent=2)
        out.write("\n")
    aside.replace(seats_file)


def _print(table: DemoTable) -> None:
    # Links stay in one piece whatever the terminal's width, so that they can be clicked and copied.
    console = Console(width=WIDTH, soft_wrap=True)
    seats = Table(title=text("en", "demo-seats"), title_justify="left", box=box.SIMPLE)
    for heading in ("role", "name", "language", "link"):
        seats.add_column(text("en", f"demo-column-{heading}"), no_wrap=True, overflow="ignore")
    for seat in table.seats:
        seats.add_row(text("en", f"role-{seat.role}"), seat.name, seat.language, seat.room_url)
    people = Table(title=text("en", "demo-accounts"), title_justify="left", box=box.SIMPLE)
    for heading in ("role", "email", "password"):
        people.add_column(text("en", f"demo-column-{heading}"), no_wrap=True, overflow="ignore")
    for account in table.accounts:
        people.add_row(text("en", f"role-{account.role}"), account.email, account.password)
    console.print(seats)
    console.print(people)
    if table.programme is not None:
        count, password = table.programme
        console.print(text("en", "demo-programme", count=count, password=password))
    console.print(table.base_url)
    console.print(text("en", "demo-hint"))
    console.file.flush()  # a pipe would keep it back
