"""`hyeopjin doctor`: what this machine has and lacks. Not configured is grey and no fault; red exits 1."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer
from rich.console import Console

from server.commands import (
    mail_check,
    provider_check,
    redis_check,
    scan_check,
    store_check,
    tls_check,
    turn_check,
    workers_check,
)
from server.config import LOOPBACK_NAMES, ConfigError, Settings, load_settings
from server.runtime.disks import DEFAULT_RATE, disks_before, disks_of
from server.services.context import Context
from server.services.retention import Retention
from server.storage import audit
from server.storage.database import Database, sqlite_is_whole
from server.storage.migrate import is_current
from server.storage.rates import recorded_rate

State = Literal["green", "yellow", "grey", "red"]
LOW_HOURS, LEAST_HOURS = 24, 2
"""Room for less than a day of one room is yellow, for less than two hours red."""
MAX_HOURS_WITHOUT_RETENTION = 25


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable; `detail` holds numbers and paths only."""

    check: str
    state: State
    code: str
    detail: str = ""


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    config: Annotated[Path | None, typer.Option(help="TOML file")] = None,
    data: Annotated[Path | None, typer.Option(help="data directory")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Look at this machine and its settings."""
    try:
        settings = load_settings(config, data_dir=data)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    findings = [check(settings) for check in CHECKS]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        console = Console(soft_wrap=True)
        for finding in findings:
            colour = "bright_black" if finding.state == "grey" else finding.state
            console.print(f"[{colour}]●[/] {finding.check}: {finding.code} {finding.detail}".rstrip())
    if any(finding.state == "red" for finding in findings):
        raise typer.Exit(1)


def _python(_settings: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return Finding("python", "green" if good else "red", "ok" if good else "too_old", version)


def _data(settings: Settings) -> Finding:
    path = settings.data_dir
    if not path.exists():
        return Finding("data", "grey", "not_configured", str(path))
    if path.stat().st_mode & 0o077:
        return Finding("data", "red", "readable_by_others", str(path))
    return Finding("data", "green", "ok", str(path))


def _disk(settings: Settings) -> Finding:
    """For how many hours of one room there is space, journal and finished tracks together."""
    disks = disks_of(settings) if settings.journal_dir.exists() else disks_before(settings)
    disks.measure()
    measured = asyncio.run(_rate(settings))
    disks.rate = measured or DEFAULT_RATE
    found = disks.forecast()
    if found is None:
        return Finding("disk", "red", "not_readable")
    hours = found.seconds / 3600
    how = "measured" if measured else "assumed"
    free = disks.spaces[found.place].free / 1024**3
    rate = f"{found.rate / 1e6:.2f} MB/s {how}"
    detail = f"room for {hours:.0f} h ({free:.1f} GiB free for {found.place}, {rate})"
    if hours >= LOW_HOURS:
        return Finding("disk", "green", "ok", detail)
    detail += "; add a disk, or remove what is not Hyeopjin's: recording stops before the disk is full"
    if hours >= LEAST_HOURS:
        return Finding("disk", "yellow", "filling", detail)
    return Finding("disk", "red", "nearly_full", detail)


async def _rate(settings: Settings) -> float | None:
    if not settings.database_url and not (settings.data_dir / "hyeopjin.sqlite3").exists():
        return None
    database = Database(settings.database)
    try:
        return await recorded_rate(database)
    except LookupError:
        return None  # another schema, or no database there: the assumed rate will do
    finally:
        await database.close()


def _database(settings: Settings) -> Finding:
    if settings.database_url:
        return Finding("database", "grey", "not_checked")
    file = settings.data_dir / "hyeopjin.sqlite3"
    if not file.exists():
        return Finding("database", "grey", "not_configured")
    whole = sqlite_is_whole(file)
    return Finding("database", "green" if whole else "red", "ok" if whole else "damaged")


def _audit(settings: Settings) -> Finding:
    """Whether each row of the audit chain follows from the one before."""
    if not settings.database_url and not (settings.data_dir / "hyeopjin.sqlite3").exists():
        return Finding("audit", "grey", "not_configured")
    try:
        broken = asyncio.run(_first_broken(settings))
    except LookupError:
        return Finding("audit", "grey", "not_checked")  # not migrated yet, or no database there
    if broken is None:
        return Finding("audit", "green", "ok")
    return Finding("audit", "red", "chain_broken", f"row {broken}")


async def _first_broken(settings: Settings) -> int | None:
    database = Database(settings.database)
    try:
        return await audit.check(database)
    finally:
        await database.close()


def _keys(settings: Settings) -> Finding:
    kek = settings.secrets_dir / "kek"
    if not kek.exists():
        return Finding("keys", "grey", "not_configured")
    private = not kek.stat().st_mode & 0o077
    return Finding("keys", "green" if private else "red", "ok" if private else "readable_by_others")


def _pages(_settings: Settings) -> Finding:
    vendor = Path(__file__).resolve().parents[2] / "static" / "vendor"
    return Finding("pages", "green", "ok") if vendor.is_dir() else Finding("pages", "red", "not_bundled")


def _tls(settings: Settings) -> Finding:
    """Whether browsers take the certificate that we serve."""
    return Finding("tls", *tls_check.check(settings))


def _retention(settings: Settings) -> Finding:
    """Whether the run that destroys what is over has run of late, and has done it."""
    if not settings.database_url and not (settings.data_dir / "hyeopjin.sqlite3").exists():
        return Finding("retention", "grey", "not_configured")
    counts = asyncio.run(_retention_counts(settings))
    if counts is None:
        return Finding("retention", "grey", "not_checked")  # not migrated yet
    last_s, overdue = counts["hyeopjin_retention_last_run_seconds"], counts["hyeopjin_retention_overdue"]
    if overdue:
        return Finding("retention", "red", "overdue", f"{int(overdue)} recordings")
    if not last_s:
        return Finding("retention", "grey", "never_run")
    hours = (time.time() - last_s) / 3600
    if hours > MAX_HOURS_WITHOUT_RETENTION:
        return Finding("retention", "red", "not_run", f"{int(hours)} h")
    return Finding("retention", "green", "ok")


async def _retention_counts(settings: Settings) -> dict[str, float] | None:
    database = Database(settings.database)
    try:
        if not await is_current(database):
            return None
        return await Retention(Context(settings, database)).counts()
    finally:
        await database.close()


def _mail(settings: Settings) -> Finding:
    """Whether the mail server lets us in, and whether mails wait."""
    return Finding("mail", *mail_check.check(settings))


def _provider(settings: Settings) -> Finding:
    """Whether the organisation's own sign-in answers."""
    return Finding("provider", *provider_check.check(settings))


def _scanner(settings: Settings) -> Finding:
    """Whether documents are scanned by something that finds."""
    return Finding("scanner", *asyncio.run(scan_check.check(settings)))


def _objects(settings: Settings) -> Finding:
    """Whether the object store does what we need of it: create once, give back, delete, list uploads."""
    if not settings.objects.bucket:
        return Finding("objects", "grey", "not_configured", "objects lie in the data directory")
    code, sentence = asyncio.run(store_check.check(settings))
    return Finding("objects", "green" if code == "ok" else "red", code, sentence)


def _redis(settings: Settings) -> Finding:
    """Whether the Redis that instances share answers and is set as it should be."""
    if not settings.redis_url:
        return Finding("redis", "grey", "not_configured", "this server is alone")
    return Finding("redis", *asyncio.run(redis_check.check(settings)))


def _turn(settings: Settings) -> Finding:
    """Whether the relay takes our credentials and reaches the media port and nothing else."""
    return Finding("turn", *turn_check.check(settings))


def _announced(settings: Settings) -> Finding:
    """Whether the addresses that pages are told can be reached from elsewhere."""
    addresses = [ipaddress.ip_address(text) for text in settings.media_announce]
    if not addresses:
        return Finding("announced", "grey", "not_configured", "every address of this machine is told")
    local = urlsplit(settings.public_url).hostname in LOOPBACK_NAMES
    if not local and all(address.is_loopback for address in addresses):
        detail = "media_announce names this machine to itself only: nobody elsewhere gets sound or picture"
        return Finding("announced", "red", "loopback_only", detail)
    if settings.media_udp_port == 0:
        return Finding(
            "announced", "yellow", "port_not_fixed", "set media_udp_port, or no firewall can name it"
        )
    return Finding("announced", "green", "ok", ", ".join(map(str, addresses)))


def _workers(settings: Settings) -> Finding:
    """Whether the media workers run, each on its port; before a start, whether the ports are free."""
    return Finding("workers", *workers_check.check(settings))


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _python,
    _data,
    _disk,
    _database,
    _audit,
    _keys,
    _retention,
    _objects,
    _scanner,
    _pages,
    _tls,
    _workers,
    _announced,
    _turn,
    _redis,
    _mail,
    _provider,
)
