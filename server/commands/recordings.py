"""`hyeopjin recordings list` and `hyeopjin recordings verify`: what there is, and whether it is whole.

Both only read: they may run beside the server, or on a copy of its data directory. They print ids, times
and codes, never a name.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from media.recordstore.manifest import ManifestError
from media.recordstore.verify import AcknowledgedHead, verify_journal, verify_manifest
from server.config import ConfigError, Settings, load_settings
from server.runtime.finalising import witnessed_chain
from server.runtime.generation import MANIFEST, Generation, GenerationError
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.object_stores import objects_of
from server.runtime.objects import ObjectError
from server.storage.database import Database
from server.storage.recordings import RecordingRow, Recordings, StoredHead

WHOLE = ("intact", "empty")
FIELDS = ("recording", "chain", "stored", "gaps", "tracks")

DataOption = Annotated[Path | None, typer.Option(help="data directory")]
ConfigOption = Annotated[Path | None, typer.Option(help="TOML file")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


def register(app: typer.Typer) -> None:
    recordings = typer.Typer(help="List recordings and verify that they are whole.", no_args_is_help=True)
    recordings.command("list")(list_recordings)
    recordings.command("verify")(verify_recordings)
    app.add_typer(recordings, name="recordings")


def list_recordings(
    data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Every recording, oldest first."""
    found = asyncio.run(_list(_settings(config, data)))
    if as_json:
        typer.echo(json.dumps(found))
        return
    for row in found:
        typer.echo(f"{row['id']}  {row['state']}  generation {row['generation']}  {row['duration_ms']} ms")


def verify_recordings(
    recording: Annotated[str | None, typer.Argument(help="a recording's id")] = None,
    every: Annotated[bool, typer.Option("--all", help="all of them (also without an id)")] = False,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check journal, chain heads, signature and every finished track. Exit code 1 if one is not whole."""
    if recording is not None and every:
        raise typer.BadParameter("give an id or --all, not both")
    reports = asyncio.run(_verify(_settings(config, data), recording))
    if recording is not None and not reports:
        typer.echo("There is no such recording.", err=True)
        raise typer.Exit(2)
    if as_json:
        shapes = [_shape(report) for report in reports]
        typer.echo(json.dumps(shapes if recording is None else shapes[0]))
        for report in reports:
            for fault in report.get("faults", []):
                typer.echo(f"{report['recording']}: {fault}", err=True)
    else:
        for report in reports:
            faults = ", ".join(report.get("faults", []))
            told = f"{report['recording']}  {report['chain']}  {len(report['tracks'])} tracks  {faults}"
            typer.echo(told.rstrip())
    if any(report["chain"] not in WHOLE for report in reports):
        raise typer.Exit(1)


def _shape(report: dict[str, Any]) -> dict[str, Any]:
    """The interface, no more: a track's own gaps stand with the track. Times in ms since the start."""
    gaps = [{name: gap[name] for name in ("from", "to", "cause")} for gap in report["gaps"]]
    return {**{name: report[name] for name in FIELDS}, "gaps": gaps}


def _settings(config: Path | None, data: Path | None) -> Settings:
    try:
        settings = load_settings(config, data_dir=data)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if not settings.database_url and not (settings.data_dir / "hyeopjin.sqlite3").is_file():
        typer.echo(f"There is no Hyeopjin data directory at {settings.data_dir}.", err=True)
        raise typer.Exit(2)
    return settings


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


async def _verify(settings: Settings, recording: str | None) -> list[dict[str, Any]]:
    database = Database(settings.database)
    try:
        rows = Recordings(database)
        one = None if recording is None else await rows.get(recording)
        wanted = await rows.all() if recording is None else [one] if one is not None else []
        verifier = Verifier(settings, rows)
        return [await verifier.report(row) for row in wanted]
    finally:
        await database.close()


@dataclass(slots=True)
class Verifier:
    """Verifies recordings of one data directory against all the witnesses there are."""

    settings: Settings
    rows: Recordings

    async def report(self, row: RecordingRow) -> dict[str, Any]:
        """`{"recording", "chain", "stored", "gaps", "tracks"}`, and `faults` (codes) where there are some."""
        heads = await self.rows.heads(row.id)  # before the journal: it may be growing
        keys = self._keys()
        report = await asyncio.to_thread(self._journal, row, heads, keys)
        faults: list[str] = []
        current = await self.rows.get(row.id) or row
        if current.generation and keys is not None:
            try:
                report = await self._published(current, heads, keys, report)
            except (GenerationError, ObjectError, ManifestError) as error:
                faults.append(error.code)
                report["chain"] = "broken"
        elif report["chain"] == "missing" and not heads:
            report["chain"] = "empty"  # a session in which nothing ever reached the store
        told = {name: report[name] for name in FIELDS}
        return told | ({"faults": faults} if faults else {})

    def _keys(self) -> KeyStore | None:
        try:
            return KeyStore.open(self.settings.data_dir, create=False)
        except KeyStoreError:
            return None  # the chain can be walked without keys

    def _journal(self, row: RecordingRow, heads: list[StoredHead], keys: KeyStore | None) -> dict[str, Any]:
        known = [AcknowledgedHead(head.epoch, head.segment, head.seal_index, head.hash) for head in heads]
        seat_keys = keys.keys(row.id) if keys is not None else {}
        room_key = seat_keys.pop(ROOM, None)
        return verify_journal(
            self.settings.journal_dir, row.id, seat_keys, room_key, known, started_at_ms=row.started_ms
        )

    async def _published(
        self, row: RecordingRow, heads: list[StoredHead], keys: KeyStore, report: dict[str, Any]
    ) -> dict[str, Any]:
        """Read the generation back; without a journal its signed manifest is the account."""
        objects = objects_of(self.settings)
        generation = await Generation.open(objects, keys, row.id, row.generation)
        await generation.verify(but_destroyed=True)
        if report["chain"] != "missing":
            return report
        stored = await objects.open(row.id, row.generation, MANIFEST)
        signed = verify_manifest(await stored.read(0, stored.size), keys.verify_key)
        signed["chain"] = witnessed_chain(str(signed["chain"]), generation.manifest, heads)
        return signed
