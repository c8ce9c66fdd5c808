"""What the database has acknowledged survives a power cut: the settings that make SQLite sync a commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.storage.database import Database


@pytest.mark.parametrize("way", ["read", "write"])
async def test_every_connection_syncs_its_log_before_a_commit_returns(tmp_path: Path, way: str) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'hyeopjin.sqlite3'}")
    try:
        async with database.write() as first:
            await first.exec_driver_sql("CREATE TABLE t (n INTEGER)")
        async with getattr(database, way)() as connection:
            told = {}
            for name in ("journal_mode", "synchronous", "fullfsync", "foreign_keys"):
                told[name] = (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
        # 2 is FULL: in WAL mode the log is synced after each transaction (sqlite.org/pragma.html)
        assert (told["journal_mode"], told["synchronous"], told["foreign_keys"]) == ("wal", 2, 1)
    finally:
        await database.close()
