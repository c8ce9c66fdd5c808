"""`hyeopjin audit verify | export | review | send`: the chain of who saw which patient.

`verify` exits with 0 when the chain is whole and reaches every checkpoint, 1 when an entry was changed or
removed (it says the first that does not follow), 3 when the chain is whole but its end is missing, 4 when a
checkpoint cannot be read or is not signed by this server; 2 as ever when there is nothing to look at.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from server.commands.directory import ConfigOption, DataOption, JsonOption, books, data_settings
from server.commands.retention import ByOption, officer
from server.config import Settings
from server.domain.errors import Refused
from server.domain.permissions import Action
from server.i18n import LANGUAGES
from server.runtime import checkpoints
from server.runtime.audit_keeper import AuditKeeper, as_syslog, places
from server.runtime.keystore import KeyStore, KeyStoreError
from server.services.trail import Asked
from server.services.trail_export import FORMATS, REASONS
from server.storage import audit

BROKEN, CUT, UNSIGNED = 1, 3, 4
MoreOption = Annotated[list[Path] | None, typer.Option("--checkpoints", help="a further directory of them")]
SENTENCES = {
    "forbidden": "This account is no privacy officer's.",
    "not_found": "There is no such account or case.",
    "bad_request": "The format or a day is not one of those that --help names.",
    "reason_missing": "The reason is not one of those that --help names.",
}


@dataclass(slots=True)
class Verdict:
    """`broken`: the first entry that does not follow. `missing_after`: the chain ends before a checkpoint."""

    entries: int = 0
    broken: int | None = None
    missing_after: int | None = None
    checkpoint_ms: int | None = None
    checkpoints: int = 0
    unsigned: list[str] = field(default_factory=list)
    guarded: bool = True

    @property
    def code(self) -> int:
        if self.broken is not None:
            return BROKEN
        if self.missing_after is not None:
            return CUT
        return UNSIGNED if self.unsigned else 0


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Who saw which patient: the chain of entries.", no_args_is_help=True)
    group.command("verify")(verify)
    group.command("export")(export)
    group.command("send")(send)
    group.command("review")(review)
    app.add_typer(group, name="audit")


def verify(
    more: MoreOption = None, data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Check every entry against the one before, and the end against every checkpoint."""
    settings = data_settings(config, data)
    found = asyncio.run(verified(settings, [*places(settings), *(more or [])]))
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        for sentence in _sentences(found):
            typer.echo(sentence)
    raise typer.Exit(found.code)


def export(
    by: ByOption,
    reason: Annotated[str, typer.Option(help=", ".join(REASONS))],
    kind: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "csv",
    account: Annotated[str, typer.Option(help="e-mail or id")] = "",
    case: Annotated[str, typer.Option(help="label or id: its patient's entries")] = "",
    first: Annotated[str, typer.Option("--from", help="first day in UTC, like 2026-11-01")] = "",
    last: Annotated[str, typer.Option("--to", help="last day in UTC, included")] = "",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Entries as a file on standard output; that it was taken out is an entry itself."""

    async def work(settings: Settings) -> None:
        async with books(settings) as services:
            asked = Asked(account, case, "", day_ms(first), day_ms(last, 1))
            who = await officer(services, by, Action.AUDIT_EXPORT)
            wanted = await services.trail_exports.begin(asked, kind, reason, who, "")
            syslog = lambda row: as_syslog(row, settings)  # noqa: E731
            async for piece in services.trail_exports.pieces(wanted, kind, syslog):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()

    refusable(work(data_settings(config, data)))


def review(
    month: Annotated[str, typer.Argument(help="like 2026-11")],
    by: ByOption,
    kind: Annotated[str, typer.Option("--format", help="html, csv")] = "html",
    language: Annotated[str, typer.Option(help=", ".join(LANGUAGES))] = "en",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Make the monthly report; it is kept, to be signed on the privacy officer's page."""

    async def work(settings: Settings) -> None:
        if kind not in ("html", "csv") or language not in LANGUAGES:
            raise Refused("bad_request")
        async with books(settings) as services:
            who = await officer(services, by, Action.AUDIT_REVIEW)
            made = await services.audit_reviews.make(month, who, "")
            _, content = await services.audit_reviews.file(made.id, kind, language, "UTC", who, "")
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()

    refusable(work(data_settings(config, data)))


def send(data: DataOption = None, config: ConfigOption = None) -> None:
    """Send to the syslog collector what it has not heard yet. A running server does it by itself."""
    settings = data_settings(config, data)
    if not settings.audit.syslog:
        typer.echo("No collector is set: [audit] syslog.", err=True)
        raise typer.Exit(2)

    async def work() -> int:
        async with books(settings) as services:
            keeper = AuditKeeper(services.context, keys_of(settings).signing_key)
            try:
                return await keeper.forward()
            finally:
                await keeper.stop()

    try:
        typer.echo(f"{asyncio.run(work())} entries sent.")
    except OSError:
        typer.echo(
            "The collector does not take them; nothing is lost, they are sent the next time.", err=True
        )
        raise typer.Exit(1) from None


def keys_of(settings: Settings) -> KeyStore:
    try:
        return KeyStore.open(settings.data_dir, create=False)
    except KeyStoreError as error:
        typer.echo(f"The key store cannot be opened: {error.code}.", err=True)
        raise typer.Exit(2) from None


def day_ms(text: str, days: int = 0) -> int | None:
    """Midnight UTC of a day, `days` later. Raises Refused `bad_request`."""
    if not text:
        return None
    try:
        there = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Refused("bad_request") from None
    return round(datetime(there.year, there.month, there.day, tzinfo=UTC).timestamp() * 1000)


def refusable(work: Any) -> Any:
    """Runs it; a refusal is told in a sentence and exits with 2."""
    try:
        return asyncio.run(work)
    except Refused as refused:
        typer.echo(SENTENCES.get(refused.code, refused.code), err=True)
        raise typer.Exit(2) from None


async def verified(settings: Settings, directories: list[Path]) -> Verdict:
    keys = await asyncio.to_thread(keys_of, settings)
    found = Verdict()
    async with books(settings) as services, services.context.database.read() as tx:
        found.broken = await audit.first_broken(tx)
        found.entries = (await audit.newest(tx))[0]
        found.guarded = await audit.is_guarded(tx)
        for path in checkpoints.files(directories):
            try:
                point = checkpoints.read(path, keys.verify_key)
            except checkpoints.CheckpointError:
                found.unsigned.append(path.name)
                continue
            found.checkpoints += 1
            if await audit.hash_at(tx, point.number) == point.hash or found.missing_after is not None:
                continue
            found.missing_after, found.checkpoint_ms = min(found.entries, point.number), point.at_ms
    return found


def _sentences(found: Verdict) -> list[str]:
    told = []
    if found.broken is not None:
        told.append(f"Entry {found.broken} does not follow from the one before: something was changed.")
    if found.missing_after is not None and found.checkpoint_ms is not None:
        at = datetime.fromtimestamp(found.checkpoint_ms / 1000, UTC).isoformat(timespec="seconds")
        told.append(
            f"The chain is not the one that the checkpoint of {at} saw: entries after {found.missing_after} "
            "are missing or others. Was an older backup restored?"
        )
    told += [f"The checkpoint {name} is not signed by this server." for name in found.unsigned]
    if not found.guarded:
        told.append(
            "The database's own guards against changes are gone: docs/audit.md says how to put them back."
        )
    if found.code == 0:
        told.append(f"{found.entries} entries, whole; {found.checkpoints} checkpoints reached.")
    return told
