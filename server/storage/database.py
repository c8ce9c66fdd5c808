"""The engine and its transactions: `read()` for a consistent look, `write()` for a change.

It must not know any table. SQLite runs in WAL with synchronous=FULL, so that an acknowledged consent or
epoch survives a power cut. On PostgreSQL (postgresql+asyncpg://…) the writers of all instances queue by an
advisory lock, as on SQLite by its own: a use case that looks and then writes needs no other thought.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

BUSY_TIMEOUT_MS = 5_000
WRITERS_LOCK = 0x48594A50
"""Of PostgreSQL's advisory locks, the one that writers queue for."""

#: What the repositories work in; use cases pass it on and never look inside.
Transaction = AsyncConnection

UNUSABLE = (OperationalError, sqlite3.OperationalError)
"""What is raised when the database cannot be opened, read or written."""


def why_unusable(error: Exception) -> str:
    """The driver's own word, without the statement and its values."""
    return str(error.orig if isinstance(error, OperationalError) else error)


class Database:
    """One engine. Writers of this process queue for SQLite instead of spinning on its lock."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        # hide_parameters: a failing statement must not carry names into a log line.
        self.engine: AsyncEngine = create_async_engine(parsed, echo=False, hide_parameters=True)
        self._is_postgres = parsed.get_backend_name() == "postgresql"
        self._writers = asyncio.Lock()
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads: one consistent state, never waits for a writer on SQLite."""
        async with self.engine.connect() as connection:
            if self._is_postgres:  # as SQLite: one state for the whole block
                await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                yield connection

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; committed at the end of the block, rolled back on an exception."""
        async with contextlib.AsyncExitStack() as stack:
            if self.is_sqlite:
                await stack.enter_async_context(self._writers)
            connection = await stack.enter_async_context(self.engine.connect())
            await connection.execution_options(hyeopjin_write=True)
            await stack.enter_async_context(connection.begin())
            if self._is_postgres:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
            yield connection

    async def ping(self) -> bool:
        """True when the database answers."""
        async with self.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
        return True

    async def close(self) -> None:
        await self.engine.dispose()


def _prepare_sqlite(dbapi_connection: Any, _record: Any) -> None:
    # The driver's own implicit BEGIN comes too late for BEGIN IMMEDIATE, so it is switched off.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("hyeopjin_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def sqlite_is_whole(file: Path) -> bool:
    """SQLite's own quick check of a database file, read-only (for `doctor`)."""
    with contextlib.closing(sqlite3.connect(f"file:{file.absolute()}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
