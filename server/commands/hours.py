"""`hyeopjin interpreter-hours --from 2026-11-01 --to 2026-11-30`: what interpreters worked, as CSV."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from server.commands.directory import ConfigOption, DataOption, books, data_settings
from server.config import Settings
from server.domain.errors import Refused
from server.services.hours import as_csv, asked

ZoneOption = Annotated[str, typer.Option(help="IANA time zone of the days; default: each one's own site's")]


def register(app: typer.Typer) -> None:
    app.command("interpreter-hours")(interpreter_hours)


def interpreter_hours(
    first: Annotated[str, typer.Option("--from", help="first day, like 2026-11-01")],
    last: Annotated[str, typer.Option("--to", help="last day, included")],
    zone: ZoneOption = "",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Hours interpreters were in rooms, from the sessions' own notes, as CSV on standard output."""
    try:
        days = asked(first, last, zone or None)
        text = asyncio.run(_hours(data_settings(config, data), *days))
    except Refused:
        typer.echo(
            "Give days like 2026-11-01, the first before the last, and a zone like Asia/Seoul.", err=True
        )
        raise typer.Exit(2) from None
    typer.echo(text, nl=False)


async def _hours(settings: Settings, first: date, last: date, zone: ZoneInfo | None) -> str:
    async with books(settings) as services:
        return as_csv(await services.hours.between(first, last, zone))
