"""`hyeopjin recordings verify`: is it whole, and if not, what is wrong where.

It only reads, but for journal segments that it fetches back from their copies when they are not here: it may
run beside the server, or on a copy of its data directory. It prints ids, times and codes, never a name.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from media.recordstore.faults import COPY
from server.commands.directory import ConfigOption, DataOption, JsonOption, data_settings
from server.config import Settings
from server.runtime.journal_restore import JournalRestore
from server.runtime.object_stores import objects_of
from server.runtime.objects import ObjectError
from server.runtime.verifying import WHOLE, Verifier, summary
from server.storage.database import Database
from server.storage.journals import Journals
from server.storage.recordings import Recordings

SHOWN_GAPS = 20
PIPED_WIDTH = 200
"""Into a file or a mail: an id that is broken in two is found by no search."""


def verify_recordings(
    recording: Annotated[list[str] | None, typer.Argument(help="ids of recordings")] = None,
    every: Annotated[bool, typer.Option("--all", help="all of them (also without an id)")] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    deep: Annotated[bool, typer.Option("--deep", help="download and hash the journal's copies too")] = False,
) -> None:
    """Check journal, chain heads, signature, keys and finished tracks. Exit code 1 if one is not whole."""
    wanted = recording or []
    if wanted and every:
        raise typer.BadParameter("give ids or --all, not both")
    reports = asyncio.run(_verify(data_settings(config, data), wanted, deep))
    if reports is None:
        typer.echo("There is no such recording.", err=True)
        raise typer.Exit(2)
    if as_json:
        typer.echo(json.dumps(reports[0] if len(wanted) == 1 else reports))
        tell_faults(reports)
        if len(wanted) != 1 and any(report["faults"] for report in reports):
            typer.echo(json.dumps({"summary": summary(reports)}), err=True)
    else:
        console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
        for report in reports:
            show(console, report)
        if len(reports) != 1:
            show_summary(console, reports)
    copy = any(fault["verdict"] == COPY for report in reports for fault in report["faults"])
    if copy or any(report["chain"] not in WHOLE for report in reports):
        raise typer.Exit(1)


def tell_faults(reports: Sequence[Mapping[str, Any]]) -> None:
    """On standard error, one a line; where there is none, not a word."""
    for report in reports:
        for fault in report["faults"]:
            place = f"{fault['what']} {fault['where']}"
            typer.echo(f"{report['recording']}: {fault['name']} {place}", err=True)


async def _verify(settings: Settings, wanted: Sequence[str], deep: bool) -> list[dict[str, Any]] | None:
    database = Database(settings.database)
    try:
        rows = Recordings(database)
        if not wanted:
            found = await rows.all()
        else:
            some = [await rows.get(recording) for recording in wanted]
            found = [one for one in some if one is not None]
            if len(found) < len(wanted):
                return None
        journals = Journals(database)
        await _fetch_back(settings, rows, journals, [one.id for one in found])
        verifier = Verifier(settings, rows, frozenset(await journals.cleaned()), journals, deep)
        return [await verifier.report(one) for one in found]
    finally:
        await database.close()


async def _fetch_back(
    settings: Settings, rows: Recordings, journals: Journals, recordings: Sequence[str]
) -> None:
    """Segments that this machine lacks, from their copies; what cannot be had is verified as missing."""
    remote = objects_of(settings).remote
    restore = JournalRestore(rows, journals, remote, settings.journal_dir)
    for recording in recordings:
        try:
            await restore.restore(recording)
        except (ObjectError, OSError) as error:
            code = getattr(error, "code", "storage_error")
            typer.echo(f"{recording}: copies could not be fetched: {code}", err=True)


# --- for people ---------------------------------------------------------------------------------------------


def show(console: Console, report: Mapping[str, Any]) -> None:
    """One recording: its verdict, what was checked, its tracks, and every fault with its place."""
    whole = report["chain"] in WHOLE
    style = "green" if whole else "bold red"
    console.print(f"[bold]{report['recording']}[/]  [{style}]{report['chain']}[/]  {_checked(report)}")
    stored = ", ".join(f"{_time(a)} to {_time(b)}" for a, b in report["stored"]) or "nothing"
    console.print(f"  stored  {stored}")
    gaps = report["gaps"]
    for gap in gaps[:SHOWN_GAPS]:
        console.print(f"  gap     {_time(gap['from'])} to {_time(gap['to'])}  {gap['cause']}")
    if len(gaps) > SHOWN_GAPS:
        console.print(f"  and {len(gaps) - SHOWN_GAPS} more gaps (--json gives all)")
    if report["tracks"]:
        console.print(_tracks(report["tracks"]))
    if report["faults"]:
        console.print(_faults(report["faults"]))
    console.print()


def show_summary(console: Console, reports: Sequence[Mapping[str, Any]]) -> None:
    """What all of them come to."""
    told = summary(reports)
    chains = ", ".join(f"{count} {chain}" for chain, count in sorted(told["chains"].items()))
    console.print(f"{told['recordings']} recordings, {told['whole']} whole: {chains or 'none'}")
    for name, count in sorted(told["faults"].items()):
        console.print(f"  {count} × {name}")


def _checked(report: Mapping[str, Any]) -> str:
    checked = report["checked"]
    parts: list[str] = []
    if checked["journal"]:
        lacking = checked["keyless"]
        parts.append("journal opened" if not lacking else f"journal, {len(lacking)} seats by chain only")
    else:
        parts.append("no journal")
    if checked["manifest"]:
        parts.append(f"signed manifest, {checked['tracks']} tracks read back")
    elif report["generations"]:
        parts.append("no manifest that verifies")
    else:
        parts.append("not finalised")
    if (copies := checked["copies"]) is not None:
        parts.append(f"{copies['segments']} copies like what is here, {copies['read']} read")
    return "checked: " + "; ".join(parts)


def _tracks(tracks: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True)
    for name in ("track", "present", "packets", "lost", "key frames, max / p95 apart", "gaps"):
        table.add_column(name, overflow="fold")
    for track in tracks:
        keys = track.get("keys")
        spacing = f"{keys['count']}, {keys['max_ms']} / {keys['p95_ms']} ms" if keys else ""
        present = sum(end - begin for begin, end in track.get("present", []))
        causes: dict[str, int] = {}
        for gap in track.get("gaps", []):
            causes[gap["cause"]] = causes.get(gap["cause"], 0) + 1
        gaps = ", ".join(f"{count} {cause}" for cause, count in sorted(causes.items()))
        packets, lost = track.get("packets", ""), track.get("lost_packets", "")
        table.add_row(str(track["id"]), _time(present), str(packets), str(lost), spacing, gaps)
    return table


def _faults(faults: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True)
    for name in ("fault", "what", "where", "verdict"):
        table.add_column(name, overflow="fold")
    for fault in faults:
        seal = f"seal {fault['seal']}: " if "seal" in fault else ""
        at = f" @{fault['offset']}" if "offset" in fault else ""
        table.add_row(fault["name"], seal + fault["what"], fault["where"] + at, fault["verdict"])
    return table


def _time(ms: int) -> str:
    seconds, rest = divmod(max(0, int(ms)), 1000)
    return f"{seconds // 3600:d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
