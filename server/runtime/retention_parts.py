"""Builds what destroys and keeps: for the server, and for a command on a directory where none runs."""

from __future__ import annotations

from dataclasses import dataclass

from server.runtime.destruction import Destroyer, DestroyerOptions, Exports, Quiet, nobody_works
from server.runtime.document_destruction import DocumentDestruction
from server.runtime.document_store import DocumentStore
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.runtime.receipts import Receipts
from server.runtime.reconciling import Store
from server.runtime.retention_runner import RetentionRunner
from server.services.context import Context
from server.services.retention import Retention


@dataclass(frozen=True, slots=True)
class RetentionParts:
    """Order at a start: `reconcile(store)`, then the media plane, then `runner`."""

    receipts: Receipts
    store: Store
    destroyer: Destroyer
    runner: RetentionRunner


def retention_parts(
    context: Context,
    retention: Retention,
    keys: KeyStore,
    objects: Objects,
    exports: Exports,
    documents: DocumentStore,
    quiet: Quiet = nobody_works,
) -> RetentionParts:
    """`quiet` keeps the finaliser off a recording; `exports` destroys what was composed of one."""
    settings = context.settings
    receipts = Receipts(settings.receipts_dir, keys.signing_key)
    options = DestroyerOptions(settings.journal_dir, settings.key_backup_days, context.now_ms)
    ending = DocumentDestruction(context.database, retention.documents, documents, keys, receipts, options)
    destroyer = Destroyer(
        context.database, keys, objects, receipts, options, quiet, exports, documents=ending.run
    )
    return RetentionParts(
        receipts=receipts,
        store=Store(context.database, keys, objects, receipts, settings.journal_dir),
        destroyer=destroyer,
        runner=RetentionRunner(context.database, retention, destroyer),
    )
