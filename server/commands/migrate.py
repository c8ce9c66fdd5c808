"""`hyeopjin migrate`: bring the database to this version's schema."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from server.config import ConfigError, Settings, load_settings
from server.storage.database import Database
from server.storage.migrate import migrate as run


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)


def migrate(
    config: Annotated[Path | None, typer.Option(help="TOML file")] = None,
    data: Annotated[Path | None, typer.Option(help="data directory")] = None,
) -> None:
    """Bring the database to the newest schema and print the revision."""
    try:
        settings = load_settings(config, data_dir=data)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    typer.echo(asyncio.run(_migrate(settings)))


async def _migrate(settings: Settings) -> str:
    database = Database(settings.database)
    try:
        return await run(database)
    finally:
        await database.close()
