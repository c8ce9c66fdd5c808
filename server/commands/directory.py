"""A data directory for commands: its settings, its books, and whether a server runs on it.

Who destroys must be alone on the directory: a command does it itself only where no server runs, else it asks
in the books and waits for the server to have done it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import typer

from server.config import ConfigError, Settings, load_settings
from server.runtime.document_store import DocumentStore
from server.runtime.keystore import KeyStore
from server.runtime.object_stores import objects_of
from server.runtime.reconciling import reconcile
from server.runtime.retention_parts import RetentionParts, retention_parts
from server.services.bundle import Services, build_services
from server.services.context import Context
from server.services.exports import build_exports
from server.storage.database import Database
from server.storage.migrate import is_current

DataOption = Annotated[Path | None, typer.Option(help="data directory")]
ConfigOption = Annotated[Path | None, typer.Option(help="TOML file")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]


def settings_of(config: Path | None, data: Path | None, port: int | None = None) -> Settings:
    """The settings; exits with 2 and a sentence when one of them is wrong."""
    try:
        return load_settings(config, data_dir=data, port=port)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def data_settings(config: Path | None, data: Path | None) -> Settings:
    """Settings of a data directory that exists; exits with 2 and a sentence otherwise."""
    settings = settings_of(config, data)
    if not settings.database_url and not (settings.data_dir / "hyeopjin.sqlite3").is_file():
        typer.echo(f"There is no Hyeopjin data directory at {settings.data_dir}.", err=True)
        raise typer.Exit(2)
    return settings


@contextlib.asynccontextmanager
async def books(settings: Settings) -> AsyncIterator[Services]:
    """The use cases over this directory's database, which must have the newest schema."""
    database = Database(settings.database)
    try:
        if not await is_current(database):
            typer.echo("The database is of another version: run `hyeopjin migrate` first.", err=True)
            raise typer.Exit(2)
        services = build_services(Context(settings, database))
        try:
            yield services
        finally:
            services.passwords.close()
    finally:
        await database.close()


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[bool]:
    """Whether no server runs on the directory; while the block lasts none can start."""
    handles: list[int] = []
    try:
        for marker in ("SERVE", "DEMO"):
            path = settings.data_dir / marker
            if not path.is_file():
                continue
            handles.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            try:
                fcntl.flock(handles[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
        yield True
    finally:
        for handle in handles:
            os.close(handle)


async def destroying(settings: Settings, services: Services) -> RetentionParts:
    """What destroys, for a process that is `alone`; what a start learns is learned first."""
    keys = await asyncio.to_thread(KeyStore.open, settings.data_dir)
    objects = objects_of(settings)
    exports = build_exports(services.context, services.recordings, keys, objects)
    documents = DocumentStore(settings.documents_dir, keys, remote=objects.remote)
    parts = retention_parts(
        services.context, services.retention, keys, objects, exports.destroy_of, documents
    )
    await reconcile(parts.store, services.context.now_ms())
    return parts
