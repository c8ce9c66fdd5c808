"""`hyeopjin retention list | hold | lift | classify | extend | run`: what is kept until when, what is held.

They print ids, dates and codes, never a name. `run` does at once what the server does every hour; with
`--dry-run` it only says what would go.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from server.commands.directory import (
    ConfigOption,
    DataOption,
    JsonOption,
    alone,
    books,
    data_settings,
    destroying,
)
from server.config import Settings
from server.domain.errors import Refused
from server.domain.people import normalised_email
from server.domain.permissions import Action, allowed
from server.domain.retention import (
    CLASS_REASONS,
    EXTENSION_REASONS,
    HOLD_REASONS,
    LIFT_REASONS,
    MAX_YEARS,
    classes,
)
from server.services.bundle import Services
from server.storage import accounts, destructions

ByOption = Annotated[str, typer.Option(help="e-mail of the privacy officer who decided it")]
SENTENCES = {
    "not_found": "There is no such case, recording or hold.",
    "not_held": "This hold was lifted already.",
    "extension_spent": "Its period was extended once already; the law allows no second time.",
    "bad_request": "The reason, class or number of years is not one of those that --help names.",
    "forbidden": "This account is no privacy officer's.",
}


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="How long recordings are kept, and legal holds.", no_args_is_help=True)
    group.command("list")(list_kept)
    group.command("hold")(hold)
    group.command("lift")(lift)
    group.command("classify")(classify)
    group.command("extend")(extend)
    group.command("run")(run)
    app.add_typer(group, name="retention")


def list_kept(data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every recording with its class and the day after which it goes; then each case's documents."""

    async def work(services: Services) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        now_ms = services.context.now_ms()
        papers = await services.retention.documents.upcoming(now_ms, MAX_YEARS * 366)
        return await services.retention.listed(), papers

    rows, papers = asyncio.run(_within(data_settings(config, data), work))
    if as_json:
        typer.echo(json.dumps([*rows, *({"documents_of": row["case_id"]} | row for row in papers)]))
        return
    for row in papers:
        typer.echo(f"documents of {row['case_id']}  {row['state']}  kept until {day(row['kept_until_ms'])}")
    for row in rows:
        kept = (
            "while the session runs" if row["kept_until_ms"] is None else f"until {day(row['kept_until_ms'])}"
        )
        typer.echo(f"{row['recording']}  {row['class']}  {row['state']}  kept {kept}")


def hold(
    case: str,
    reason: Annotated[str, typer.Option(help=", ".join(HOLD_REASONS))],
    by: ByOption,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Let nothing of a case be destroyed from now on; prints the hold's id."""

    async def work(services: Services) -> str:
        return (await services.retention.hold(case, reason, await officer(services, by), "")).id

    typer.echo(asyncio.run(_within(data_settings(config, data), work)))


def lift(
    hold_id: str,
    reason: Annotated[str, typer.Option(help=", ".join(LIFT_REASONS))],
    by: ByOption,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Lift a hold: what it kept from going goes at the next run."""

    async def work(services: Services) -> None:
        await services.retention.lift(hold_id, reason, await officer(services, by), "")

    asyncio.run(_within(data_settings(config, data), work))


def classify(
    recording: str,
    klass: Annotated[str, typer.Argument(metavar="CLASS", help=", ".join(sorted(classes())))],
    reason: Annotated[str, typer.Option(help=", ".join(CLASS_REASONS))],
    by: ByOption,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Give a recording another class; prints the day after which it goes."""

    async def work(services: Services) -> int | None:
        return await services.retention.classify(recording, klass, reason, await officer(services, by), "")

    until_ms = asyncio.run(_within(data_settings(config, data), work))
    typer.echo("the session still runs" if until_ms is None else day(until_ms))


def extend(
    recording: str, years: int, by: ByOption, data: DataOption = None, config: ConfigOption = None
) -> None:
    """Keep a recording longer for continued treatment: once, at most as long again."""

    async def work(services: Services) -> int | None:
        return await services.retention.extend(
            recording, years, EXTENSION_REASONS[0], await officer(services, by), ""
        )

    until_ms = asyncio.run(_within(data_settings(config, data), work))
    typer.echo("the session still runs" if until_ms is None else day(until_ms))


def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Destroy what is over and not held, and what was withdrawn. A running server does it by itself."""
    settings = data_settings(config, data)
    told = asyncio.run(_would_go(settings) if dry_run else _run(settings))
    if as_json:
        typer.echo(json.dumps(told))
    else:
        for row in told:
            typer.echo(f"{row['recording']}  {row['seat'] or 'whole'}  {row['cause']}  {row['state']}")
    if not dry_run and any(row["state"] != destructions.DONE for row in told):
        raise typer.Exit(1)


def day(ms: int) -> str:
    """The date in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d")


async def officer(services: Services, email: str, action: Action = Action.RETENTION_HOLD) -> str:
    """The account's id; raises Refused `forbidden` when it is not one that may."""
    async with services.context.database.read() as tx:
        found = await accounts.by_email(tx, normalised_email(email))
    if found is None or found[0].disabled or not allowed(action, found[0].roles, ()):
        raise Refused("forbidden")
    return found[0].id


async def _within(settings: Settings, work: Callable[[Services], Awaitable[Any]]) -> Any:
    async with books(settings) as services:
        try:
            await services.retention.reckon()
            return await work(services)
        except Refused as refused:
            typer.echo(SENTENCES.get(refused.code, refused.code), err=True)
            raise typer.Exit(2) from None


async def _would_go(settings: Settings) -> list[dict[str, Any]]:
    """What `run` would destroy now; nothing is written but the dates."""
    async with books(settings) as services:
        await services.retention.reckon()
        due = await services.retention.due(services.context.now_ms())
        papers = await services.retention.documents.due(services.context.now_ms())
        async with services.context.database.read() as tx:
            asked = await destructions.unfinished(tx)
    rows = [{"recording": row.recording_id, "seat": "", "cause": "expired", "state": "due"} for row in due]
    rows += [
        {"recording": one.case_id, "seat": destructions.THE_DOCUMENTS, "cause": one.cause, "state": "due"}
        for one in papers
    ]
    return rows + [_told(row) for row in asked]


async def _run(settings: Settings) -> list[dict[str, Any]]:
    async with books(settings) as services:
        with alone(settings) as nobody:
            if not nobody:
                typer.echo("A server runs on this directory: it does this by itself.", err=True)
                raise typer.Exit(2)
            parts = await destroying(settings, services)
            async with services.context.database.read() as tx:
                before = {row.id for row in await destructions.unfinished(tx)}
            done = await parts.runner.tick(services.context.now_ms())
            async with services.context.database.read() as tx:
                rows = await destructions.everything(tx)
    return [_told(row) for row in rows if row.id in before or row.id in done]


def _told(row: destructions.Destruction) -> dict[str, Any]:
    """Of a case's documents the case stands in the place of the recording."""
    what = row.case_id if row.kind == destructions.DOCUMENTS else row.recording_id
    return {"recording": what, "seat": row.seat_id, "cause": row.cause, "state": row.state}
