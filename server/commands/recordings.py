"""`hyeopjin recordings …`: what there is, and (server/commands/verify.py) whether it is whole.

It only reads: it may run beside the server, or on a copy of its data directory. It prints ids, times and
codes, never a name.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import typer

from server.commands import export
from server.commands.clean import clean_journals
from server.commands.directory import ConfigOption, DataOption, JsonOption, data_settings
from server.commands.verify import verify_recordings
from server.commands.withdraw import withdraw
from server.config import Settings
from server.storage.database import Database
from server.storage.recordings import Recordings


def register(app: typer.Typer) -> None:
    recordings = typer.Typer(help="List recordings and verify that they are whole.", no_args_is_help=True)
    recordings.command("list")(list_recordings)
    recordings.command("verify")(verify_recordings)
    recordings.command("clean")(clean_journals)
    recordings.command("withdraw")(withdraw)
    export.add_to(recordings)
    app.add_typer(recordings, name="recordings")


def list_recordings(
    data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Every recording, oldest first."""
    found = asyncio.run(_list(data_settings(config, data)))
    if as_json:
        typer.echo(json.dumps(found))
        return
    for row in found:
        typer.echo(f"{row['id']}  {row['state']}  generation {row['generation']}  {row['duration_ms']} ms")


async def _list(settings: Settings) -> list[dict[str, Any]]:
    database = Database(settings.database)
    try:
        rows = await Recordings(database).all()
    finally:
        await database.close()
    return [
        {
            "id": row.id,
            "consultation_id": row.consultation_id,
            "case_id": row.case_id,
            "state": row.state,
            "generation": row.generation,
            "epochs": row.epoch,
            "epochs_finalised": row.epochs_finalised,
            "started_at_ms": row.started_ms,
            "ended_at_ms": row.ended_ms,
            "duration_ms": row.duration_ms,
            "error_code": row.error_code,
        }
        for row in rows
    ]
