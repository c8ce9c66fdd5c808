"""Documents of cases, put together: the store, uploads, what people do with them, and the checks behind.

A corner of the composition root: it builds these parts and joins them. It must not hold rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from media.recordstore.disk import DISK, Disk
from server.decode.decoder import Decoder
from server.runtime.bucket import Bucket
from server.runtime.document_checks import DocumentChecks
from server.runtime.document_moves import DocumentMoves
from server.runtime.document_store import DocumentStore
from server.runtime.keystore import KeyStore
from server.runtime.scanning import scanner_of
from server.services.context import Context
from server.services.document_uploads import Uploads
from server.services.documents import Documents
from server.web.documents import DOCUMENTS, DocumentParts
from server.web.health import HEALTH, Health
from server.web.keys import SERVICES

CHECKS: web.AppKey[DocumentChecks] = web.AppKey("document_checks", DocumentChecks)
"""Wants `start` and `stop`, where what runs once for an installation runs."""


@dataclass(frozen=True, slots=True)
class DocumentKeeping:
    """`checks` wants `start` and `stop`; `parts` are for the routes (`DOCUMENTS`)."""

    parts: DocumentParts
    checks: DocumentChecks
    store: DocumentStore


def documents_of(
    context: Context,
    keys: KeyStore,
    remote: Bucket | None = None,
    disk: Disk = DISK,
    decoder: Decoder | None = None,
) -> DocumentKeeping:
    """Blocking: makes the directory."""
    settings = context.settings
    store = DocumentStore(
        settings.documents_dir, keys, disk, remote,
        preview_bytes=settings.documents.preview_bytes, floor_bytes=settings.disk_floor_bytes,
    )  # fmt: skip
    # Apart, so that nobody who looks at a page waits behind a study that is taken in.
    uploads, documents = Uploads(context, store), Documents(context, store, decoder or Decoder())
    scanner = scanner_of(settings.documents)
    checks = DocumentChecks(context, store, decoder or Decoder(), scanner, DocumentMoves(context, store))
    uploads.nudged = documents.nudged = checks.nudge
    return DocumentKeeping(DocumentParts(documents, uploads), checks, store)


def keep_documents(app: web.Application, keys: KeyStore, remote: Bucket | None, disk: Disk) -> DocumentStore:
    """Give the application its documents. Blocking: makes the directory."""
    made = documents_of(app[SERVICES].context, keys, remote, disk)
    app[DOCUMENTS], app[CHECKS] = made.parts, made.checks
    watch_documents(app[HEALTH], made)
    return made.store


def watch_documents(health: Health, made: DocumentKeeping) -> None:
    """What /readyz and /metrics tell of them."""
    moves = made.checks.moves

    async def taken() -> bool:
        return moves.answers

    health.wishes["documents_moved"] = taken
    health.sources.append(moves.metrics)
    previews = made.store.previews

    async def looked_at() -> dict[str, float]:
        return {
            "hyeopjin_previews_bytes": float(previews.held_bytes),
            "hyeopjin_previews_found": float(previews.hits),
            "hyeopjin_previews_made": float(previews.made),
        }

    health.sources.append(looked_at)
