"""Signed statements of where the audit chain ended: who cuts its end off has to forge or find them all.

One file a day, `<day>.json`: a DSSE envelope over canonical JSON, Ed25519 with the data directory's signing
key, replaced while the day lasts by later ones of the same chain (`set_aside`). They hold a number, a hash
and an instant. A directory on another machine (`[audit] second_place`) defends against somebody who has this
one's files and key too.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from media.recordstore import dsse
from media.recordstore.layout import canonical
from server.domain.audit_gap import Checkpoint
from server.runtime.keystore import fsync_directory, private_directory

PAYLOAD_TYPE = "application/vnd.hyeopjin.audit-checkpoint+json"
VERSION = 1


class CheckpointError(Exception):
    """A file is no checkpoint of ours."""


def put(directory: Path, point: Checkpoint, signing_key: bytes) -> None:
    """Durable when this returns. Raises OSError."""
    payload = {"version": VERSION, "number": point.number, "hash": point.hash, "at_ms": point.at_ms}
    envelope = dsse.sign(PAYLOAD_TYPE, canonical(payload), signing_key)
    private_directory(directory)
    path = _of_day(directory, point.at_ms)
    aside = directory / f".{path.stem}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(envelope)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    fsync_directory(directory)


def of_day(directory: Path, at_ms: int, public: bytes) -> Checkpoint | None:
    """The one that the next `put` of this day replaces."""
    try:
        return read(_of_day(directory, at_ms), public)
    except CheckpointError:
        return None


def set_aside(directory: Path, point: Checkpoint) -> None:
    """Today's saw entries that are gone: it stays, beside the next one. Raises OSError."""
    path = _of_day(directory, point.at_ms)
    path.replace(path.with_name(f"{path.stem}-{point.number}-{point.hash[:8]}.json"))
    fsync_directory(directory)


def _of_day(directory: Path, at_ms: int) -> Path:
    return directory / f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}.json"


def read(path: Path, public: bytes) -> Checkpoint:
    """Raises CheckpointError."""
    try:
        envelope = dsse.parse(path.read_bytes(), PAYLOAD_TYPE)
        payload = json.loads(envelope.payload)
        if envelope.holds(public) and payload["version"] == VERSION:
            return Checkpoint(int(payload["number"]), str(payload["hash"]), int(payload["at_ms"]))
    except (OSError, dsse.EnvelopeError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise CheckpointError(path.name)


def files(directories: Iterable[Path]) -> list[Path]:
    """Of each directory by day; one that is not there has none."""
    return [
        path
        for directory in directories
        if directory.is_dir()
        for path in sorted(directory.glob("[0-9]*.json"))
    ]
