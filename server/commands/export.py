"""`hyeopjin recordings export` and `export-key`: a file for an operator with the key store; our public key.

The reason is asked for and audited, as on the page. What is composed lies sealed, under a key of this
command's memory, until it is written out; the file gets its name only when it is whole. Prints no name.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from media.recordstore.sealed import SealedReader
from server.commands.directory import ConfigOption, DataOption, data_settings
from server.config import Settings
from server.domain.errors import Refused
from server.export.bundle_files import fingerprint, public_pem
from server.export.composing import Composition
from server.export.making import ExportError, GenerationError, Making, ObjectError, Target
from server.export.plan import Material, Order
from server.runtime.keystore import KeyStore, KeyStoreError
from server.runtime.object_stores import objects_of
from server.runtime.objects import Objects
from server.services.context import unix_ms
from server.services.exports import checked
from server.services.follow_up import NOBODY, withheld_from
from server.storage import audit
from server.storage.database import Database
from server.storage.ids import new_id
from server.storage.recordings import Recordings

Kind = Literal["film", "mp4", "clip", "still", "bundle"]
Layout = Literal["grid", "speaker"]
Language = Literal["ko", "ru", "kk", "uz", "mn", "en"]
Reason = Literal["treatment", "second_opinion", "patient_copy", "insurer", "legal", "quality"]

BESIDE_FOLLOW_UP = ("patient_copy", "legal")
WHY = {
    "recording_gone": "there is no such recording, or nothing of it is finished (`hyeopjin recordings list`)",
    "bad_request": "times, track, language or time zone do not fit the kind (`--help`)",
    "nothing_there": "nothing was recorded there; `hyeopjin recordings verify` lists tracks and their times",
}


def add_to(recordings: typer.Typer) -> None:
    """The two commands."""
    recordings.command("export")(export)
    recordings.command("export-key")(export_key)


def export(
    recording: Annotated[str, typer.Argument(help="a recording's id")],
    out: Annotated[Path, typer.Option(help="the file to write; must not exist yet")],
    reason: Annotated[Reason, typer.Option(prompt="Reason", help="what it is for; audited")],
    kind: Annotated[Kind, typer.Option(help="film or mp4: the whole as an MP4; clip: a part of it")] = "film",
    layout: Annotated[Layout, typer.Option()] = "grid",
    language: Annotated[Language, typer.Option(help="of the texts in a film")] = "en",
    zone: Annotated[str, typer.Option(help="of the clock in a film")] = "UTC",
    from_ms: Annotated[int, typer.Option(help="clip: its start; still: its time", min=0)] = 0,
    to_ms: Annotated[int, typer.Option(help="clip: its end", min=0)] = 0,
    track: Annotated[str, typer.Option(help="still: which track, as verify names it")] = "",
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Write an MP4 film or clip, a PNG still or a signed ZIP bundle of a recording."""
    settings = data_settings(config, data)
    order = Order("film" if kind == "mp4" else kind, layout, language, zone, from_ms, to_ms, track)
    if out.exists():
        typer.echo("That file exists already.", err=True)
        raise typer.Exit(2)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise typer.BadParameter(f"there is no time zone {zone}", param_hint="--zone") from None
    if not os.access(out.parent, os.W_OK | os.X_OK):
        typer.echo(f"Nothing can be written in {out.parent}.", err=True)
        raise typer.Exit(2)
    try:
        asyncio.run(_export(settings, recording, order, reason, out))
    except (ExportError, GenerationError, ObjectError, KeyStoreError, Refused) as error:
        typer.echo(f"No export was made: {WHY.get(error.code, error.code)}.", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"No export was made: {out} could not be written ({error.strerror}).", err=True)
        raise typer.Exit(1) from None


def export_key(data: DataOption = None, config: ConfigOption = None) -> None:
    """Print the public key that signs bundles, and its fingerprint, to be told by another way."""
    keys = KeyStore.open(data_settings(config, data).data_dir, create=False)
    typer.echo(public_pem(keys.verify_key).decode(), nl=False)
    typer.echo(f"SHA-256 {fingerprint(keys.verify_key)}")


async def _export(settings: Settings, recording: str, order: Order, reason: str, out: Path) -> None:
    database = Database(settings.database)
    try:
        rows, keys = Recordings(database), KeyStore.open(settings.data_dir, create=False)
        making = Making(database, rows, keys, objects_of(settings))
        row, material = await rows.get(recording), await making.material(recording)
        if row is None or material is None:
            raise ExportError("recording_gone")
        scratch = Objects(settings.exports_dir).scratch(new_id())
        try:
            target = Target(scratch / "export.sealed", os.urandom(32), b"command|export")
            left = await _allowed(database, recording, material, reason)
            prepared = await making.prepare(recording, checked(order, left), target, unix_ms(), left.seats())
            await Composition().run(prepared, _show)
            entry = audit.Entry(
                action="export_downloaded",
                subject_type="recording",
                subject_id=recording,
                address="",
                case_id=row.case_id,
                detail={"recording": recording, "kind": order.kind, "reason": reason, "by": "operator"},
            )
            async with database.write() as tx:
                await audit.append(tx, unix_ms(), entry)
            _write_out(target, out)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    finally:
        await database.close()


async def _allowed(database: Database, recording: str, material: Material, reason: str) -> Material:
    """Without what the patient keeps from follow-up review, but for the patient and whom the law names."""
    if reason in BESIDE_FOLLOW_UP:
        return material
    kept_back = await withheld_from(database, recording, NOBODY, unix_ms())
    codes = sorted({kept_back[seat] for seat in material.seats() if seat in kept_back})
    if codes:
        typer.echo(f"The patient's seats are left out: {', '.join(codes)} (docs/consents.md).", err=True)
    return material.without(kept_back)


def _show(progress: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{progress / 10:.0f} %", nl=False, err=True)


def _write_out(target: Target, out: Path) -> None:
    """The one place where an export's plaintext meets a disk: where the operator asked for it."""
    part = out.with_name(out.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with (
            os.fdopen(handle, "wb") as file,
            SealedReader(target.path, target.key, target.associated) as reader,
        ):
            for chunk in reader.chunks():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, out)  # unlike a rename, never over another file
    finally:
        part.unlink()
