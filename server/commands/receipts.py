"""`hyeopjin receipts list | verify`: what was destroyed, and whether every receipt still proves it.

`verify` checks signatures, numbers, the chain from receipt to receipt, that the audit chain has heard of
each, and that no key it names is there. Exit code 1 if anything is wrong.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import typer

from server.commands.directory import ConfigOption, DataOption, JsonOption, data_settings
from server.config import Settings
from server.runtime.keystore import KeyStore, KeyStoreError
from server.runtime.receipts import OF_DOCUMENTS, Receipt, Receipts, folder_of
from server.storage import audit, destructions
from server.storage.database import Database

SHOWN = (
    "kind",
    "case",
    "recording",
    "seat",
    "cause",
    "reason",
    "on_behalf",
    "destroyed_at_ms",
    "no_backup_opens_from_ms",
)


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Receipts of what was destroyed.", no_args_is_help=True)
    group.command("list")(list_receipts)
    group.command("verify")(verify)
    app.add_typer(group, name="receipts")


def list_receipts(data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every receipt, oldest first."""
    settings = data_settings(config, data)
    rows = [_told(receipt, list(receipt.faults)) for receipt in _receipts(settings, _keys(settings)).all()]
    _print(rows, as_json)


def verify(data: DataOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check every receipt against its signature, the others, the audit chain and the key store."""
    rows = asyncio.run(_verify(data_settings(config, data)))
    _print(rows, as_json)
    if any(row["faults"] for row in rows):
        raise typer.Exit(1)


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        what = "unreadable"
        if row["kind"] == OF_DOCUMENTS:
            what = f"documents of case {row['case']} {row['cause']}"
        elif row["recording"]:
            what = f"{row['recording']} {row['seat'] or 'whole'} {row['cause']}"
        typer.echo(f"{row['number']}  {what}  {', '.join(row['faults']) or 'good'}")
    good = sum(not row["faults"] for row in rows)
    typer.echo(f"{len(rows)} receipts, {good} good." if rows else "There are no receipts.")


def _told(receipt: Receipt, faults: list[str]) -> dict[str, Any]:
    facts = {name: receipt.payload.get(name) for name in SHOWN}
    return {"number": receipt.number, **facts, "hash": receipt.hash, "faults": faults}


def _keys(settings: Settings) -> KeyStore:
    try:
        return KeyStore.open(settings.data_dir, create=False)
    except KeyStoreError as error:
        typer.echo(f"The key store cannot be opened: {error.code}.", err=True)
        raise typer.Exit(2) from None


def _receipts(settings: Settings, keys: KeyStore) -> Receipts:
    return Receipts(settings.receipts_dir, keys.signing_key)


async def _verify(settings: Settings) -> list[dict[str, Any]]:
    keys = _keys(settings)
    database = Database(settings.database)
    try:
        async with database.read() as tx:
            told = await audit.hashes_told(tx)
            broken = await audit.first_broken(tx)
            known = {
                row.receipt_number: row
                for row in await destructions.everything(tx)
                if row.receipt_number is not None
            }
    finally:
        await database.close()
    rows = []
    for receipt in _receipts(settings, keys).all():
        faults = list(receipt.faults)
        if receipt.hash not in told:
            faults.append("receipt_unknown_to_audit")
        if broken is not None:
            faults.append("audit_chain_broken")
        gone = [keys.is_gone(folder_of(receipt.payload), str(key["seat"])) for key in _named(receipt)]
        if not all(gone):
            faults.append("key_left")
        known.pop(receipt.number, None)
        rows.append(_told(receipt, faults))
    for number, row in sorted(known.items()):
        rows.append(
            dict.fromkeys(SHOWN)
            | {"number": number, "recording": row.recording_id, "seat": row.seat_id, "cause": row.cause}
            | {"hash": row.receipt_hash, "faults": ["receipt_missing"]}
        )
    return rows


def _named(receipt: Receipt) -> list[dict[str, Any]]:
    return list(receipt.payload.get("keys", []))
