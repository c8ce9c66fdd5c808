"""A database with today's tables: migrated once in a process, copied for each test."""

from __future__ import annotations

import asyncio
import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from server.storage.database import Database
from server.storage.migrate import is_current, migrate


async def migrated(database: Database) -> None:
    """As `migrate`; quick for a SQLite file that is not there yet and for a copy of what was migrated."""
    if database.is_sqlite:
        await asyncio.to_thread(_copy, await _sqlite(), Path(database.engine.url.database or ""))
    if not await is_current(database):
        await migrate(database)


def _copy(made: Path, where: Path) -> None:
    if not where.exists():
        shutil.copyfile(made, where)


async def _sqlite() -> Path:
    made = _folder() / "books.sqlite3"
    if not made.exists():
        making = made.with_suffix(".making")
        database = Database(f"sqlite+aiosqlite:///{making}")
        await migrate(database)
        await database.close()
        await asyncio.to_thread(making.rename, made)
    return made


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="books"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
