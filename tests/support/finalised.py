"""Finalised recordings of two synthetic people, each made once per test run and copied from then on."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from pathlib import Path

from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.storage.database import Database
from server.storage.recordings import Recordings
from tests.support.journals import Books, make_books, people, record
from tests.support.recorded import Person

_MADE: dict[tuple[type[Person], float], Path] = {}


async def finalised(data: Path, seconds: float = 4.0, kind: type[Person] = Person) -> Books:
    """`data` holds such a recording afterwards, with nothing shared with anybody else's."""
    if (kind, seconds) not in _MADE:
        base = await asyncio.to_thread(tempfile.mkdtemp, prefix="hyeopjin-finalised-")
        atexit.register(shutil.rmtree, base, ignore_errors=True)
        await _make(Path(base), seconds, kind)
        _MADE[kind, seconds] = Path(base)
    await asyncio.to_thread(shutil.copytree, _MADE[kind, seconds], data, dirs_exist_ok=True)
    database = Database(f"sqlite+aiosqlite:///{data / 'hyeopjin.sqlite3'}")
    return Books(database, Recordings(database))


async def _make(data: Path, seconds: float, kind: type[Person]) -> None:
    books, keys = await make_books(data), await asyncio.to_thread(KeyStore.open, data)
    await record(data, keys, people(2, kind), seconds=seconds)
    await finalise(data, books, keys)
    await books.database.close()


async def finalise(data: Path, books: Books, keys: KeyStore) -> Objects:
    """What was recorded below `data` becomes a generation of objects."""
    objects = Objects(data / "objects")
    queue = Finalising(books.rows, keys, objects, FinalisingOptions(data / "journal", 0))
    await queue.start()
    await queue.idle()
    await queue.stop()
    return objects
