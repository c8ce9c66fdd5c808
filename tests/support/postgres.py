"""A real PostgreSQL of the test's own: a fresh cluster on a free port of 127.0.0.1, ended by its pid."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from server.storage.database import Database
from server.storage.migrate import migrate
from tests.support.ports import free_port

ACCOUNT = "postgres"
START_S = 30.0


class PostgresServer:
    """`database()` makes an empty database, `migrated()` one with today's tables; both give the URL."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._made = 0
        self._migrated: str | None = None

    async def database(self, template: str = "template1") -> str:
        self._made += 1
        name = f"books{self._made}"
        connection = await asyncpg.connect(self._dsn("postgres"))
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        finally:
            await connection.close()
        return f"postgresql+asyncpg://{ACCOUNT}@127.0.0.1:{self.port}/{name}"

    async def migrated(self) -> str:
        if self._migrated is None:
            url = await self.database()
            database = Database(url)
            await migrate(database)
            await database.close()
            self._migrated = url.rsplit("/", 1)[1]
        return await self.database(self._migrated)

    async def wait(self) -> None:
        async with asyncio.timeout(START_S):
            while True:
                try:
                    connection = await asyncpg.connect(self._dsn("postgres"))
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.05)
                    continue
                await connection.close()
                return

    def _dsn(self, name: str) -> str:
        return f"postgresql://{ACCOUNT}@127.0.0.1:{self.port}/{name}"


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    assert found, "PostgreSQL is installed by deploy/setup.sh browsers"
    return found[-1].parent


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Without fsync: what is tested is not its disk. It does not run as root, so it has its own account."""
    folder = Path(tempfile.mkdtemp(prefix="hyeopjin-postgres-"))
    user = pwd.getpwnam(ACCOUNT) if os.getuid() == 0 else None
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data, port, programs = folder / "data", free_port(), _programs()
    initdb = [programs / "initdb", "-D", data, "-U", ACCOUNT, "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, cwd=folder, check=True, capture_output=True, **who)  # type: ignore[call-overload]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-p", str(port), "-h", "127.0.0.1", "-F"],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **who,
        )  # fmt: skip
    try:
        server = PostgresServer(port)
        asyncio.run(server.wait())
        yield server
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
