"""Copies finished journal segments to the object store while people talk, so that a lost disk costs seconds.

A segment is ciphertext and is taken when nobody writes to it any more: a newer one of its seat is there, its
end mark is, or its epoch is over. A copy counts when the store has given back the very same bytes; only then
is it in the books. It holds no state but what a directory and the books tell again after a kill, never writes
over what is there, and must not open a seal or slow the recording: it runs beside, on files that are closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media.recordstore import layout
from server.runtime.bucket import PIECE, Bucket, ObjectError
from server.runtime.tasks import TaskOwner, describe
from server.storage.journals import Journals, SegmentCopy

log = logging.getLogger("hyeopjin.runtime.copier")

LOOK_EVERY_S = 1.0
SWEEP_EVERY_S = 5.0
"""How often new recordings are looked for; those that are known to grow are looked at each time."""
AT_ONCE = 4
ABANDONED_S = 60.0
"""An open segment gets a seal each second: one without an end mark that has not grown for so long is over."""
FINISH_S = 1.5
"""What a server that stops in order may still spend on the segments that its worker has just ended."""
LONGEST_PAUSE_S = 30.0
TAIL = 512
"""An end mark is shorter."""

Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A segment in the journal directory. `last`: none of the same seat and epoch is newer."""

    path: Path
    epoch: int
    size: int
    touched_s: float
    last: bool
    last_epoch: bool

    @property
    def key(self) -> Key:
        return (self.epoch, self.path.name)


def object_path(recording: str, epoch: int, segment: str) -> str:
    """Where a segment's copy lies."""
    return f"journal/{recording}/{epoch}/{segment}"


def segments_here(journal_root: Path, recording: str) -> list[Found]:
    """Every segment file of a recording, in order. Blocking."""
    found: list[Found] = []
    epochs = layout.epochs_of(journal_root, recording)
    for epoch in epochs:
        paths = layout.segments_of(journal_root, recording, epoch)
        newest = {key[0]: path for path in paths if (key := layout.parse_segment_name(path.name))}
        for path in paths:
            try:
                seen = path.lstat()
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(seen.st_mode):  # what a link points to is none of the store's business
                continue
            last = path in newest.values()
            found.append(Found(path, epoch, seen.st_size, seen.st_mtime, last, epoch == epochs[-1]))
    return found


def is_over(segment: Found, now_s: float) -> bool:
    """Whether nobody writes to this file any more. Blocking."""
    if not segment.last or not segment.last_epoch:
        return True
    return now_s - segment.touched_s >= ABANDONED_S or _ended(segment.path)


def _ended(path: Path) -> bool:
    """Whether the file's very end is an end mark, by its outside."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        tail = file.read(TAIL)
    at = tail.rfind(layout.SEAL_MARK + bytes((layout.END_MARK,)))
    if at < 0 or at + layout.SEAL_HEAD.size > len(tail):
        return False
    length = int(layout.SEAL_HEAD.unpack_from(tail, at)[4])
    return at + layout.SEAL_HEAD.size + length == len(tail)


def digest_of(path: Path, size: int | None = None) -> tuple[int, str]:
    """Size and SHA-256 of a file, or of its first `size` bytes. Blocking."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE if size is None else min(PIECE, size - done)):
            digest.update(piece)
            done += len(piece)
    return done, digest.hexdigest()


class SegmentCopier:
    """One per server with an object store. Order: construct, `start`, …, `stop`."""

    def __init__(
        self,
        journals: Journals,
        bucket: Bucket,
        journal_root: Path,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._journals = journals
        self._bucket = bucket
        self._root = journal_root
        self._now_s = now_s
        self._owner = TaskOwner("copier")
        self._growing: dict[str, int] = {}  # recordings with something to copy -> their directory's mtime
        self._done: dict[str, int] = {}
        self._copied: dict[str, set[Key]] = {}
        self._began: dict[Path, float] = {}
        self._oldest: dict[str, float] = {}
        self._swept_at = -SWEEP_EVERY_S
        self._in_conflict: set[Path] = set()
        self.failures = 0

    async def start(self) -> None:
        """Begin with whatever has no copy yet."""
        self._owner.spawn(self._run(), "copies")

    async def stop(self) -> None:
        """Copy what the worker has just ended, if the store is quick; the rest waits for the next start."""
        await self._owner.close()
        self._swept_at = -SWEEP_EVERY_S
        with contextlib.suppress(TimeoutError, ObjectError):
            async with asyncio.timeout(FINISH_S):
                await self.copy_all()

    async def numbers(self) -> dict[str, float]:
        """For /metrics. Lag: the age of the oldest thing recorded that lies on one disk only, in seconds."""
        now_s = self._now_s()
        return {
            "hyeopjin_journal_copy_lag_seconds": max(
                (now_s - at for at in self._oldest.values()), default=0.0
            ),
            "hyeopjin_journal_copy_failures": float(self.failures),
            "hyeopjin_journal_copy_conflicts": float(len(self._in_conflict)),
        }

    async def _run(self) -> None:
        pause_s = LOOK_EVERY_S
        while True:
            try:
                await self.copy_all()
                pause_s = LOOK_EVERY_S
            except ObjectError as error:
                self.failures += 1
                log.warning("segments could not be copied: %s", error.code)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
            except Exception as error:
                self.failures += 1
                log.error("copying segments failed: %s", describe(error))
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
            await asyncio.sleep(pause_s)

    async def copy_all(self) -> None:
        """One look at every recording that may have something new. Raises ObjectError."""
        if time.monotonic() - self._swept_at >= SWEEP_EVERY_S:
            changed = await asyncio.to_thread(self._sweep)
            cleaned = await self._journals.cleaned() if changed else set()
            self._growing.update({name: at for name, at in changed.items() if name not in cleaned})
            self._done.update({name: at for name, at in changed.items() if name in cleaned})
            self._swept_at = time.monotonic()
        failed: Exception | None = None
        for recording in sorted(self._growing):
            try:
                await self._copy_recording(recording)
            except Exception as error:
                failed = error  # one recording does not stop the others
        if failed is not None:
            raise failed

    def _sweep(self) -> dict[str, int]:
        """Recordings whose directory has changed since they were done: a new epoch is a new entry there."""
        changed: dict[str, int] = {}
        for path in self._root.iterdir() if self._root.is_dir() else ():
            at = path.stat().st_mtime_ns
            if path.name in self._growing or self._done.get(path.name) == at:
                continue
            if layout.is_id(path.name) and path.is_dir():
                changed[path.name] = at
        return changed

    async def _copy_recording(self, recording: str) -> None:
        if recording not in self._copied:
            known = await self._journals.copies(recording)
            self._copied[recording] = {(copy.epoch, copy.segment) for copy in known}
        found = await asyncio.to_thread(segments_here, self._root, recording)
        copied = self._copied[recording]
        todo = [segment for segment in found if segment.key not in copied]
        self._note_oldest(recording, await asyncio.to_thread(self._oldest_of, todo))
        now_s = self._now_s()
        ready = [segment for segment in todo if await asyncio.to_thread(is_over, segment, now_s)]
        gate = asyncio.Semaphore(AT_ONCE)
        results = await asyncio.gather(
            *(self._copy(recording, segment, gate) for segment in ready), return_exceptions=True
        )
        left = [segment for segment in todo if segment.key not in copied]
        self._note_oldest(recording, await asyncio.to_thread(self._oldest_of, left))
        for result in results:
            if isinstance(result, BaseException):
                raise result
        if not left:
            self._done[recording] = self._growing.pop(recording)
            del self._copied[recording]

    async def _copy(self, recording: str, segment: Found, gate: asyncio.Semaphore) -> None:
        """Put, read back, note. Raises ObjectError when the store is not there."""
        async with gate:
            try:
                size, sha256 = await asyncio.to_thread(digest_of, segment.path)
            except FileNotFoundError:
                return  # cleaned away meanwhile
            path = object_path(recording, segment.epoch, segment.path.name)
            try:
                await self._bucket.put_new(path, segment.path)
            except ObjectError as error:
                if error.code != "object_exists":
                    raise
                if not await self._is_ours(path, segment.path, size, sha256):
                    return
            if await self._bucket.digest(path) != (size, sha256):
                self._conflict(segment.path)
                return
            at_ms = int(self._now_s() * 1000)
            copy = SegmentCopy(segment.epoch, segment.path.name, size, sha256, at_ms)
            if not await self._journals.add_copy(recording, copy):
                await self._bucket.delete(path)  # the cleaner has been here, and listed what was there
                return
            self._copied[recording].add(segment.key)
            self._began.pop(segment.path, None)
            self._in_conflict.discard(segment.path)

    async def _is_ours(self, path: str, here: Path, size: int, sha256: str) -> bool:
        """What is there, unconfirmed: our bytes, the beginning of them (then it is put anew), or others."""
        there = await self._bucket.digest(path)
        if there == (size, sha256):
            return True
        if there[0] < size and there == await asyncio.to_thread(digest_of, here, there[0]):
            await self._bucket.delete(path)
            await self._bucket.put_new(path, here)
            return True
        self._conflict(here)
        return False

    def _conflict(self, path: Path) -> None:
        if path not in self._in_conflict:
            log.error("the object store holds other bytes than a segment here; it is left alone")
        self._in_conflict.add(path)

    # --- how old the oldest uncopied entry is -------------------------------------------------------

    def _oldest_of(self, segments: list[Found]) -> float | None:
        ages = [self._began_s(segment) for segment in segments]
        return min(ages, default=None)

    def _began_s(self, segment: Found) -> float:
        """When its first entry came, by its header."""
        if segment.path not in self._began:
            try:
                with segment.path.open("rb") as file:
                    header, _ = layout.parse_header(file.read(4096))
            except (OSError, layout.LayoutError):
                return segment.touched_s
            self._began[segment.path] = header.wall_ns / 1e9
        return self._began[segment.path]

    def _note_oldest(self, recording: str, at_s: float | None) -> None:
        if at_s is None:
            self._oldest.pop(recording, None)
        else:
            self._oldest[recording] = at_s
