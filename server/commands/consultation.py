"""`hyeopjin consultation list | cancel`: what is planned, and calling it off. Ids and times only, no names.

Both may run beside the server, which notices a cancellation in its books within 5 s and closes the room.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import typer

from server.commands.directory import ConfigOption, DataOption, JsonOption, data_settings
from server.config import Settings
from server.domain.consultation import effective_state
from server.domain.errors import Refused
from server.services.context import Context, unix_ms
from server.services.rooms import Rooms
from server.storage import consultations
from server.storage.database import Database

SENTENCES = {
    "not_found": "There is no such consultation.",
    "ended": "This consultation is over already.",
}


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List consultations and cancel one.", no_args_is_help=True)
    group.command("list")(list_consultations)
    group.command("cancel")(cancel)
    app.add_typer(group, name="consultation")


def list_consultations(
    data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Every consultation, oldest first."""
    found = asyncio.run(_list(data_settings(config, data)))
    if as_json:
        typer.echo(json.dumps(found))
        return
    for row in found:
        typer.echo(f"{row['id']}  {row['state']}  opens_at_ms {row['opens_at_ms']}")


def cancel(consultation: str, data: DataOption = None, config: ConfigOption = None) -> None:
    """Cancel it: its links die, who is in its room is put out, its recordings stay."""
    try:
        asyncio.run(_cancel(data_settings(config, data), consultation))
    except Refused as refused:
        typer.echo(SENTENCES[refused.code], err=True)
        raise typer.Exit(2) from None


async def _list(settings: Settings) -> list[dict[str, Any]]:
    database = Database(settings.database)
    try:
        async with database.read() as tx:
            rows = await consultations.all_of_them(tx)
    finally:
        await database.close()
    return [
        {
            "id": row.id,
            "case_id": row.case_id,
            "state": effective_state(row, unix_ms()),
            "starts_at_ms": row.starts_at_ms,
            "opens_at_ms": row.opens_at_ms,
            "closes_at_ms": row.closes_at_ms,
        }
        for row in rows
    ]


async def _cancel(settings: Settings, consultation_id: str) -> None:
    database = Database(settings.database)
    try:
        await Rooms(Context(settings, database)).cancel(consultation_id, unix_ms())
    finally:
        await database.close()
