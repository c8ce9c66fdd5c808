"""A finalised recording of two or three synthetic people, everything that may destroy it, and a clock.

What is destroyed here is destroyed by the application's own parts; only the media plane is absent.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import update

from server.config import Settings
from server.domain.people import Account
from server.domain.retention import DAY_MS
from server.playback.playback import Playback
from server.runtime.bucket import Bucket
from server.runtime.destruction import Destroyer, DestroyerOptions
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.runtime.receipts import Receipts
from server.runtime.reconciling import Learned, Store, reconcile
from server.runtime.retention_runner import RetentionRunner
from server.runtime.verifying import Verifier
from server.services.bundle import Services, build_services
from server.services.context import Context
from server.services.exports import GENERATION, OBJECT, build_exports
from server.storage import accounts, destructions, exports
from server.storage.database import Database
from server.storage.destructions import Destruction
from server.storage.exports import ExportRow
from server.storage.recordings import RecordingRow, Recordings
from server.storage.schema import sessions
from tests.support.fresh import migrated
from tests.support.journals import RECORDING, SITE, STARTED_MS, make_books, people, record

ENDED_MS = STARTED_MS + 60_000
ADDRESS = "192.0.2.7"
_MADE: list[Path] = []
SECRET_FOLDERS = ("keys", "secrets", "receipts")


class Shredding:
    """`open` takes a data directory as it is; `record` fills a new one first."""

    def __init__(
        self, data: Path, step: Callable[[str], None] = lambda _name: None, remote: Bucket | None = None
    ) -> None:
        self.data = data
        self.now_ms = ENDED_MS + 1_000
        self.step = step
        self.remote = remote

    @classmethod
    async def record(
        cls, data: Path, count: int = 3, *, finalised: bool = True, remote: Bucket | None = None
    ) -> Shredding:
        """A new directory with one recording whose session has ended."""
        await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
        books = await make_books(data)
        async with books.database.write() as tx:
            await tx.execute(update(sessions).values(ended_ms=ENDED_MS, emptied_ms=ENDED_MS))
        heads = await record(data, KeyStore.open(data), people(count), seconds=2)
        await books.rows.add_heads(RECORDING, 1, heads)
        await books.database.close()
        made = await cls(data, remote=remote).open()
        if finalised:
            await made.finalise()
        return made

    @classmethod
    async def ready(cls, data: Path) -> Shredding:
        """A copy of one finalised recording that is made once per test run."""
        if not _MADE:
            base = Path(tempfile.mkdtemp(prefix="hyeopjin-shredding-"))
            atexit.register(shutil.rmtree, base, ignore_errors=True)
            await (await cls.record(base / "data")).close()
            _MADE.append(base / "data")
        shutil.copytree(_MADE[0], data, dirs_exist_ok=True)
        return await cls(data).open()

    async def open(self) -> Shredding:
        settings = Settings(public_url="http://localhost:8080", data_dir=self.data)
        self.database = Database(settings.database)
        await migrated(self.database)
        self.services: Services = build_services(Context(settings, self.database, lambda: self.now_ms))
        self.keys = await asyncio.to_thread(KeyStore.open, self.data)
        self.objects = Objects(settings.objects_dir, remote=self.remote)
        self.receipts = Receipts(settings.receipts_dir, self.keys.signing_key)
        self.rows = Recordings(self.database)
        self.finalising = Finalising(
            self.rows, self.keys, self.objects, FinalisingOptions(settings.journal_dir, 0)
        )
        self.exports = build_exports(self.services.context, self.rows, self.keys, self.objects)
        options = DestroyerOptions(settings.journal_dir, settings.key_backup_days, lambda: self.now_ms)
        self.destroyer = Destroyer(
            self.database,
            self.keys,
            self.objects,
            self.receipts,
            options,
            quiet=self.finalising.quiet,
            exports=self.exports.destroy_of,
            step=self.step,
        )
        self.runner = RetentionRunner(self.database, self.services.retention, self.destroyer)
        self.playback = Playback(self.database, self.rows, self.keys, self.objects, lambda: self.now_ms)
        self.store = Store(self.database, self.keys, self.objects, self.receipts, settings.journal_dir)
        return self

    async def close(self) -> None:
        await self.finalising.stop()
        self.services.passwords.close()
        await self.database.close()

    async def reopen(self) -> Shredding:
        """As a server that is started again: nothing in memory, and what a start does first."""
        await self.close()
        again = await Shredding(self.data).open()
        again.now_ms = self.now_ms
        return again

    async def learn(self) -> Learned:
        return await reconcile(self.store, self.now_ms)

    async def finalise(self) -> None:
        await self.finalising.start()
        async with asyncio.timeout(60):
            await self.finalising.idle()

    async def withdraw(self, seat: str, by: str = "account-synthetic-1") -> Destruction:
        return await self.services.withdrawals.withdraw(
            RECORDING, seat, "consent_withdrawn", by, ADDRESS, account=by
        )

    async def row(self) -> RecordingRow:
        row = await self.rows.get(RECORDING)
        assert row is not None
        return row

    async def compose(self, export: str, *seats: str) -> None:
        """A finished export that contains these seats: its row, its key, a sealed file."""
        async with self.database.write() as tx:
            if await accounts.by_id(tx, "account-exporting") is None:
                maker = Account(
                    "account-exporting", "x@demo.invalid", "X", "en", SITE, (), True, False, "Asia/Almaty"
                )
                await accounts.add_account(tx, maker, "x")
            row = ExportRow(
                export, RECORDING, "film", {"layout": "grid", "from_ms": 0, "to_ms": 1}, list(seats), "ready",
                OBJECT, 1, "0" * 64, None, "account-exporting", self.now_ms, self.now_ms, None,
            )  # fmt: skip
            await exports.add(tx, row)
        self.keys.seat_key(export, "room")
        folder = self.data / "exports" / "recordings" / export / f"g{GENERATION}"
        await asyncio.to_thread(folder.mkdir, parents=True)
        (folder / OBJECT).write_bytes(b"sealed")

    async def composed(self) -> dict[str, str]:
        """State of every export."""
        async with self.database.read() as tx:
            return {row.id: row.state for row in await exports.of_recording(tx, RECORDING)}

    async def expire(self) -> None:
        """Its period over, and one run of the runner."""
        self.now_ms = ENDED_MS + 6 * 366 * DAY_MS
        await self.runner.tick(self.now_ms)

    async def verified(self) -> dict[str, Any]:
        """What `recordings verify` says of it."""
        settings = Settings(public_url="http://localhost:8080", data_dir=self.data)
        return await Verifier(settings, self.rows).report(await self.row())

    async def destruction(self, seat: str = "") -> Destruction:
        async with self.database.read() as tx:
            found = await destructions.get(tx, RECORDING, seat)
        assert found is not None
        return found

    async def plays(self, track: str) -> bool:
        """Whether a track can be read to its last byte by way of playback."""
        reader = await self.playback.track(RECORDING, track)
        length = 0
        async for chunk in reader.chunks(0, reader.size):
            length += len(chunk)
        return length == reader.size > 0


@contextlib.contextmanager
def backup_of(data: Path, *folders: str) -> Iterator[Callable[[], None]]:
    """A tar of a data directory (or some of its folders); without any named: all but keys, secrets, receipts.

    What is given puts it back over what is there, as an operator would: the old folders in place of the new.
    """
    kept = io.BytesIO()
    names = folders or tuple(sorted(p.name for p in data.iterdir() if p.name not in SECRET_FOLDERS))
    with tarfile.open(fileobj=kept, mode="w") as tar:
        for name in names:
            tar.add(data / name, arcname=name)

    def restore() -> None:
        for name in names:
            there = data / name
            if there.is_dir():
                shutil.rmtree(there)
            else:
                there.unlink(missing_ok=True)
        for stale in data.glob("hyeopjin.sqlite3-*"):
            stale.unlink()
        kept.seek(0)
        with tarfile.open(fileobj=kept) as tar:
            tar.extractall(data, filter="fully_trusted")  # noqa: S202

    yield restore


def places_of(data: Path, *needles: bytes) -> list[str]:
    """Files under a directory that hold one of some byte strings."""
    return [
        str(path.relative_to(data))
        for path in sorted(data.rglob("*"))
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]
