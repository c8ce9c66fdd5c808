"""`hyeopjin audit verify | acknowledge | export | review | send`: the chain of who saw which patient.

`verify` exits with 0 when the chain is whole and reaches every checkpoint, or somebody has acknowledged what
is missing; 1 when an entry was changed or removed (it says the first that does not follow), 3 when the chain
is whole but its end is missing, 4 when a checkpoint cannot be read or is not signed by this server; 2 as ever
when there is nothing to look at.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
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
from server.runtime.audit_keeper import AuditKeeper, as_syslog, places
from server.runtime.keystore import KeyStore, KeyStoreError
from server.services.audit_chain import Verdict
from server.services.trail import Asked
from server.services.trail_export import FORMATS, REASONS

BROKEN, CUT, UNSIGNED = 1, 3, 4
MoreOption = Annotated[list[Path] | None, typer.Option("--checkpoints", help="a further directory of them")]
SENTENCES = {
    "forbidden": "This account is no privacy officer's.",
    "not_found": "There is no such account or case.",
    "bad_request": "The format or a day is not one of those that --help names.",
    "reason_missing": "The reason is not one of those that --help names.",
    "gap_reason": "Write why entries are missing, in at least three words.",
    "audit_broken": "An entry was changed: see `hyeopjin audit verify`. Nobody can answer for that.",
    "audit_whole": "Nothing is missing that is not known already.",
}


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Who saw which patient: the chain of entries.", no_args_is_help=True)
    group.command("verify")(verify)
    group.command("acknowledge")(acknowledge)
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
    raise typer.Exit(exit_code(found))


def acknowledge(
    by: ByOption,
    reason: Annotated[str, typer.Option(help="why entries are missing, in your own words")],
    more: MoreOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Answer for entries that a checkpoint saw and that are gone, after an older backup was put back.

    It is an entry itself; `verify` names it ever after, and still finds whatever else is missing.
    """
    settings = data_settings(config, data)

    async def work() -> None:
        keys = await asyncio.to_thread(keys_of, settings)
        async with books(settings) as services:
            chain = services.audit_chain
            chain.verify_key, chain.places = keys.verify_key, [*places(settings), *(more or [])]
            who = await officer(services, by, Action.AUDIT_ACKNOWLEDGE)
            seen = await chain.verdict(whole=False)
            await chain.acknowledge(seen.lost, reason, who, "")
            await AuditKeeper(services.context, keys.signing_key).stop()  # a checkpoint that has seen it
            for sentence in _sentences(await chain.verdict(whole=False)):
                typer.echo(sentence)

    refusable(work())


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
    async with books(settings) as services:
        services.audit_chain.verify_key, services.audit_chain.places = keys.verify_key, directories
        return await services.audit_chain.verdict(whole=True)


def exit_code(found: Verdict) -> int:
    if found.broken is not None:
        return BROKEN
    if found.missing_after is not None:
        return CUT
    return UNSIGNED if found.unsigned else 0


def _sentences(found: Verdict) -> list[str]:
    told = []
    if found.broken is not None:
        told.append(f"Entry {found.broken} does not follow from the one before: something was changed.")
    if found.missing_after is not None and found.checkpoint_ms is not None:
        told.append(
            f"The chain is not the one that the checkpoint of {_instant(found.checkpoint_ms)} saw: entries "
            f"after {found.missing_after} are missing or others. Was an older backup restored? Then say so: "
            "`hyeopjin audit acknowledge`."
        )
    told += [f"The checkpoint {name} is not signed by this server." for name in found.unsigned]
    if not found.guarded:
        told.append(
            "The database's own guards against changes are gone: docs/audit.md says how to put them back."
        )
    told += [_known(gap) for gap in found.gaps]
    if exit_code(found) == 0:
        told.append(f"{found.entries} entries, whole; {found.checkpoints} checkpoints reached or known.")
    return told


def _known(gap: dict[str, Any]) -> str:
    return (
        f"Known gap: entries {gap['kept_to'] + 1} to {gap['lost_to']}, written after "
        f"{_instant(gap['from_ms'])} until {_instant(gap['to_ms'])}, are lost; acknowledged by {gap['name']} "
        f"on {_instant(gap['made_ms'])}: {gap['reason'] or 'the reason is lost too'}"
    )


def _instant(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
