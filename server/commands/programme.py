"""`hyeopjin programme load FILE`: hospitals, centres, departments and physicians out of a TOML file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from server.commands.directory import ConfigOption, DataOption, books, data_settings
from server.config import ConfigError, Settings
from server.services import programme_file
from server.services.programme_file import ProgrammeError


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Hospitals, centres and departments of the programme.", no_args_is_help=True)
    group.command("load")(load)
    group.callback()(lambda: None)  # one command only would lose its name
    app.add_typer(group, name="programme")


def load(
    file: Annotated[Path, typer.Argument(help="as docs/matching.md, Departments")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Add what the file names; what is there already under the same id is written anew."""
    settings = data_settings(config, data)
    try:
        done = asyncio.run(_load(settings, file.read_text(encoding="utf-8")))
    except (ConfigError, ProgrammeError, OSError, UnicodeDecodeError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(", ".join(f"{count} {name}" for name, count in done.items()))


async def _load(settings: Settings, text: str) -> dict[str, int]:
    async with books(settings) as services:
        return await programme_file.load(services.context, text)
