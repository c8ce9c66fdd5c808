"""Ends documents of a front's case by the application's own parts; as a program, killed at a step:
`python -m tests.support.ending DATA STEP NOW_MS`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from server.config import load_settings
from server.runtime.bucket import Bucket
from server.runtime.destruction import Destroyer, DestroyerOptions
from server.runtime.document_destruction import DocumentDestruction
from server.runtime.document_store import DocumentStore
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.runtime.receipts import Receipts
from server.runtime.reconciling import Learned, Store, reconcile
from server.runtime.retention_runner import RetentionRunner
from server.services.context import Context
from server.services.retention import Retention
from server.storage.database import Database


class Ending:
    """`run` is one full run of what the server does every hour, at the context's clock."""

    def __init__(
        self,
        context: Context,
        remote: Bucket | None = None,
        step: Callable[[str], None] = lambda _name: None,
    ) -> None:
        settings = context.settings
        self.context = context
        self.keys = KeyStore.open(settings.data_dir)
        self.objects = Objects(settings.objects_dir)
        self.receipts = Receipts(settings.receipts_dir, self.keys.signing_key)
        self.retention = Retention(context)
        self.documents = DocumentStore(settings.documents_dir, self.keys, remote=remote)
        options = DestroyerOptions(settings.journal_dir, settings.key_backup_days, context.now_ms)
        database = context.database
        ending = DocumentDestruction(
            database, self.retention.documents, self.documents, self.keys, self.receipts, options, step
        )
        self.destroyer = Destroyer(
            database, self.keys, self.objects, self.receipts, options, documents=ending.run
        )
        self.runner = RetentionRunner(database, self.retention, self.destroyer)

    async def run(self) -> list[str]:
        """Ids of the destructions that are done."""
        return await self.runner.tick(self.context.now_ms())

    async def learn(self) -> Learned:
        """What a start does first."""
        settings = self.context.settings
        store = Store(self.context.database, self.keys, self.objects, self.receipts, settings.journal_dir)
        return await reconcile(store, self.context.now_ms())


async def main(data: Path, deadly: str, now_ms: int) -> None:
    def step(name: str) -> None:
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load_settings(None, data_dir=data, public_url="http://localhost:8080")
    ending = Ending(Context(settings, Database(settings.database), lambda: now_ms), step=step)
    await ending.run()
    print("survived")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
