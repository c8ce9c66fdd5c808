"""Holds the copies of a journal in the object store against the books and the files that are here.

By names and sizes alone, which a listing tells, and by the SHA-256 that the store gave back when a segment
was copied; `deep` downloads each and hashes what the store gives now. It must not mend or judge a journal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from media.recordstore.faults import COPY, Row, row
from server.runtime.bucket import Bucket, ObjectError
from server.runtime.segment_copier import Found, digest_of, is_over, object_path, segments_here
from server.storage.journals import SegmentCopy

LAG_S = 30.0
"""A closed segment may wait so long for its copy before the copy counts as missing."""


@dataclass(slots=True)
class Copies:
    """What was found: closed segments that have a copy like themselves, how many were read, what is wrong."""

    segments: int = 0
    read: int = 0
    faults: list[Row] = field(default_factory=list)


async def check_copies(
    bucket: Bucket, journal_root: Path, recording: str, noted: Sequence[SegmentCopy], deep: bool
) -> Copies:
    """Every segment that is closed here or was noted as copied. A store that is away is one fault."""
    found = Copies()
    try:
        listing = await asyncio.to_thread(bucket.listing, f"journal/{recording}")
        there = {"/".join(entry.path.split("/")[-2:]): entry.size for entry in listing}
        here, closed = await asyncio.to_thread(_closed, journal_root, recording)
        books = {f"{copy.epoch}/{copy.segment}": copy for copy in noted}
        for name in sorted(books.keys() | closed.keys()):
            epoch, segment = name.split("/")
            path = object_path(recording, int(epoch), segment)
            if name not in there:
                found.faults.append(row(path, "object", "copy_missing", COPY))
                continue
            wrong = await asyncio.to_thread(_differs, here.get(name), books.get(name), there[name])
            if wrong is None and deep:
                wrong = await _read(bucket, path, here.get(name), books.get(name))
                found.read += 1
            if wrong is None:
                found.segments += 1
            else:
                found.faults.append(row(path, wrong, "copy_differs", COPY))
    except ObjectError as error:
        found.faults.append(row(f"journal/{recording}", "object_store", error.code, COPY))
    return found


def _closed(journal_root: Path, recording: str) -> tuple[dict[str, Found], dict[str, Found]]:
    """All segments here by `epoch/name`, and those that ought to have a copy by now. Blocking."""
    now_s = time.time()
    here = {f"{found.epoch}/{found.path.name}": found for found in segments_here(journal_root, recording)}
    return here, {
        name: found
        for name, found in here.items()
        if now_s - found.touched_s >= LAG_S and is_over(found, now_s)
    }


def _differs(here: Found | None, noted: SegmentCopy | None, size: int) -> str | None:
    """By what can be had without a download: sizes, and the file here against the digest that was noted."""
    if size != (noted.size if noted is not None else here.size if here is not None else size):
        return "size"
    if here is not None and noted is not None and digest_of(here.path) != (noted.size, noted.sha256):
        return "file"
    return None


async def _read(bucket: Bucket, path: str, here: Found | None, noted: SegmentCopy | None) -> str | None:
    """What the store gives now, against what was noted, else against the file."""
    told = await bucket.digest(path)
    if noted is not None:
        return None if told == (noted.size, noted.sha256) else "content"
    if here is not None:
        return None if told == await asyncio.to_thread(digest_of, here.path) else "content"
    return None
