"""`hyeopjin recordings clean`: which journals the policy lets go, and why the others stay.

Without `--now` it only looks. It prints ids and codes, never a name.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from server.commands.directory import ConfigOption, DataOption, JsonOption, data_settings
from server.config import Settings
from server.runtime.object_stores import objects_of
from server.safekeeping import cleaner_of
from server.services.context import unix_ms
from server.storage.database import Database
from server.storage.journals import Journals
from server.storage.recordings import Recordings


def clean_journals(
    now: Annotated[bool, typer.Option("--now", help="verify those that may go, and remove them")] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Journals that may go (`may_go`, `cleaned`), and why the others stay; the server does it hourly."""
    told = asyncio.run(_clean(data_settings(config, data), now))
    if as_json:
        typer.echo(json.dumps(told))
        return
    for recording, reason in told.items():
        typer.echo(f"{recording}  {reason}")


async def _clean(settings: Settings, now: bool) -> dict[str, str]:
    database = Database(settings.database)
    try:
        rows, journals = Recordings(database), Journals(database)
        cleaner = cleaner_of(settings, rows, journals, objects_of(settings), unix_ms)
        return await (cleaner.run() if now else cleaner.look())
    finally:
        await database.close()
