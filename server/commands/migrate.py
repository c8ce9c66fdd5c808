"""`hyeopjin migrate`: bring the database to this version's schema."""

from __future__ import annotations

import asyncio

import typer

from server.commands.directory import ConfigOption, DataOption, settings_of
from server.config import Settings
from server.storage.database import Database
from server.storage.migrate import migrate as run


def register(app: typer.Typer) -> None:
    app.command("migrate")(migrate)


def migrate(config: ConfigOption = None, data: DataOption = None) -> None:
    """Bring the database to the newest schema and print the revision."""
    settings = settings_of(config, data)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    typer.echo(asyncio.run(_migrate(settings)))


async def _migrate(settings: Settings) -> str:
    database = Database(settings.database)
    try:
        return await run(database)
    finally:
        await database.close()
