"""Fetches journal segments back from their copies when this machine lacks them: another node, another disk.

A segment appears whole, under its own name, only after its bytes are the confirmed ones; what is here already
is never touched. An epoch of which anything was fetched is marked, so that whoever reads it names what nobody
has any more `node_lost`. It must not finalise, judge, or fetch a journal that was cleaned away on purpose.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

from media.recordstore import layout
from media.recordstore.disk import DISK, Disk
from server.runtime.bucket import Bucket, ObjectError
from server.runtime.segment_copier import object_path
from server.storage.journals import Journals, SegmentCopy
from server.storage.recordings import Recordings

log = logging.getLogger("hyeopjin.runtime.restore")

HEADS_EVERY_MS = 10_000
"""A worker tells its chain heads this often: when they stop, it lived no longer than this after the last."""


@dataclass(frozen=True, slots=True)
class Restored:
    """How many segments were fetched, and which confirmed ones could not be (`epoch/segment`)."""

    fetched: int = 0
    missing: tuple[str, ...] = ()


class JournalRestore:
    """`restore` before a journal is read. Without a bucket it does nothing."""

    def __init__(
        self,
        rows: Recordings,
        journals: Journals,
        bucket: Bucket | None,
        journal_root: Path,
        disk: Disk = DISK,
    ) -> None:
        self._rows = rows
        self._journals = journals
        self._bucket = bucket
        self._root = journal_root
        self._disk = disk

    async def restore(self, recording: str) -> Restored:
        """Fetch what the books or the object store have and this machine lacks.

        Raises ObjectError store_unreachable, store_refused; OSError when there is no room here.
        """
        if self._bucket is None:
            return Restored()
        row = await self._rows.get(recording)
        if row is None or await self._journals.cleaning(recording) is not None:
            return Restored()
        copies = {(copy.epoch, copy.segment): copy for copy in await self._journals.copies(recording)}
        heads = await self._rows.heads(recording)
        known = set(copies) | {(head.epoch, head.segment) for head in heads}
        here = await asyncio.to_thread(self._here, recording)
        if known <= here:
            return Restored()
        there = await asyncio.to_thread(self._there, self._bucket, recording)
        wanted = sorted((set(copies) | there) - here)
        for epoch in sorted({epoch for epoch, _ in known - here}):
            told = [head.at_ms for head in heads if head.epoch == epoch]
            told += [copy.at_ms for copy in copies.values() if copy.epoch == epoch]
            await asyncio.to_thread(self._mark, recording, epoch, max(told) + HEADS_EVERY_MS)
        fetched, missing = 0, []
        for key in wanted:
            if await self._fetch(self._bucket, recording, key, copies.get(key)):
                fetched += 1
            else:
                missing.append(f"{key[0]}/{key[1]}")
        log.warning("%d segments of a journal were fetched back, %d are lost", fetched, len(missing))
        return Restored(fetched, tuple(missing))

    def _here(self, recording: str) -> set[tuple[int, str]]:
        return {
            (epoch, path.name)
            for epoch in layout.epochs_of(self._root, recording)
            for path in layout.segments_of(self._root, recording, epoch)
        }

    @staticmethod
    def _there(bucket: Bucket, recording: str) -> set[tuple[int, str]]:
        """Everything in the object store, also what was put and not yet noted when the server died."""
        found: set[tuple[int, str]] = set()
        for entry in bucket.listing(f"journal/{recording}"):
            epoch, name = entry.path.split("/")[-2:]
            if epoch.isdecimal() and layout.parse_segment_name(name):
                found.add((int(epoch), name))
        return found

    def _mark(self, recording: str, epoch: int, until_ms: int) -> None:
        """Before the first segment is there: a half-restored epoch must not look like a whole one."""
        directory = layout.epoch_directory(self._root, recording, epoch)
        if (directory / layout.RESTORED).exists():
            return
        self._disk.make_directories(directory, self._root)
        self._write(directory / layout.RESTORED, json.dumps({"until_ms": until_ms}).encode())

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all; if another process was first, its file stays."""
        aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            file = self._disk.create(aside)
            try:
                file.write(content)
                file.sync()
            finally:
                file.close()
            self._appear(aside, path)
        finally:
            self._disk.remove(aside)

    def _appear(self, aside: Path, path: Path) -> None:
        try:
            self._disk.link(aside, path)
        except FileExistsError:
            return
        self._disk.sync_directory(path.parent)

    async def _fetch(
        self, bucket: Bucket, recording: str, key: tuple[int, str], copy: SegmentCopy | None
    ) -> bool:
        """One segment; False when the object store does not have the bytes that were confirmed."""
        epoch, name = key
        path = layout.epoch_directory(self._root, recording, epoch) / name
        aside = path.with_name(f".{name}.{secrets.token_hex(8)}")
        await asyncio.to_thread(self._disk.make_directories, path.parent, self._root)
        size, digest = 0, hashlib.sha256()
        file = await asyncio.to_thread(self._disk.create, aside)
        try:
            try:
                async for piece in bucket.pieces(object_path(recording, epoch, name)):
                    await asyncio.to_thread(file.write, piece)
                    size += len(piece)
                    digest.update(piece)
                await asyncio.to_thread(file.sync)
            finally:
                file.close()
            if copy is not None and (size, digest.hexdigest()) != (copy.size, copy.sha256):
                log.error("a segment's copy is not what was confirmed; it is left out")
                return False
            await asyncio.to_thread(self._appear, aside, path)
        except ObjectError as error:
            if error.code != "object_missing":
                raise
            return False
        finally:
            await asyncio.to_thread(self._disk.remove, aside)
        return True
