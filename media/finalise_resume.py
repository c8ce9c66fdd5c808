"""What a finaliser that was killed had finished: a sealed ticket beside each track, so that the next one
goes on.

A ticket holds only for the same journal, to the last seal, and for a track that reads back whole. It is
sealed under the seat's key, like its track. Must not decide what is worth keeping: a doubt means the track
is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from .finalise_track import Job
from .recordstore import layout
from .recordstore.disk import Disk
from .recordstore.index import Survey
from .recordstore.sealed import SealedError, SealedReader, final_key, seal_bytes

VERSION = 2
"""Of what the finaliser makes of a journal: a ticket of another version is void."""
TICKET = "ticket"
SUFFIX = ".ticket.sealed"
TRACK_SUFFIX = ".webm.sealed"


def fingerprint(job: Job, survey: Survey) -> str:
    """Names everything that a track is made of."""
    segments = [
        [str(report.path.parent.name), report.path.name, report.size, report.head_index, report.head_hash]
        for report in survey.reports
    ]
    inputs: dict[str, object] = {
        "version": VERSION, "generation": job.generation, "started_at_ms": job.started_at_ms,
        "epochs": list(job.epochs), "segments": segments, "keyless": sorted(survey.keyless),
        "books": job.books.told(),
    }  # fmt: skip
    return hashlib.sha256(layout.canonical(inputs)).hexdigest()


def leave_ticket(
    job: Job, mark: str, peer: str, name: str, track: dict[str, object] | None, disk: Disk
) -> None:
    """Say that track `name` is finished (None: it turned out to have nothing in it)."""
    key, associated = final_key(job.keys[peer], job.recording, job.generation, TICKET)
    plain = layout.canonical({"inputs": mark, "name": name, "track": track})
    seal_bytes(job.out_dir / (name + SUFFIX), key, associated, plain, disk)


def find_ticket(job: Job, mark: str, peer: str, name: str) -> tuple[bool, dict[str, object] | None]:
    """(whether the track is finished, its row), once its file has been read to the end."""
    path = job.out_dir / (name + SUFFIX)
    if not path.exists():
        return False, None
    try:
        key, associated = final_key(job.keys[peer], job.recording, job.generation, TICKET)
        with SealedReader(path, key, associated) as reader:
            ticket = json.loads(b"".join(reader.chunks()))
        if ticket["inputs"] != mark or ticket["name"] != name:
            return False, None
        track: dict[str, object] | None = ticket["track"]
        if track is not None and _digest(job, peer, name) != track["sha256"]:
            return False, None
    except (OSError, SealedError, ValueError, KeyError, TypeError):
        return False, None
    return True, track


def _digest(job: Job, peer: str, name: str) -> str:
    key, associated = final_key(job.keys[peer], job.recording, job.generation, name)
    digest = hashlib.sha256()
    with SealedReader(job.out_dir / (name + TRACK_SUFFIX), key, associated) as reader:
        for chunk in reader.chunks():
            digest.update(chunk)
    return digest.hexdigest()


def sweep(out_dir: Path, files: Collection[str], disk: Disk) -> None:
    """Remove tickets, and tracks that are none of `files`: of a seat whose key has gone since."""
    for path in out_dir.glob("*.sealed"):
        ticket = path.name.endswith(SUFFIX)
        if ticket or (path.name.endswith(TRACK_SUFFIX) and path.name not in files):
            with contextlib.suppress(FileNotFoundError):
                disk.remove(path)
