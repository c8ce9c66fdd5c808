"""The worker's one writer thread: takes batches of entries, seals them, syncs once a second, acknowledges.

It never raises into the media path: a full disk or an I/O error is reported on the feed and retried with a
new
segment, while batches wait in memory up to a limit. It must not look inside a batch, and acknowledges nothing
that has not been through fdatasync.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from . import layout
from .disk import DISK, Disk
from .segment import Head, Segment, SegmentError, SegmentSpec

QUEUE_LIMIT = 32 * 1024 * 1024
SYNC_EVERY_S = 1.0
RETRY_AFTER_S = 1.0
GATHER_S = 0.1
"""Batches are written this often, all that have come: a thread woken for each takes the interpreter from
the packets dozens of times a second. Part of a SIGKILL's loss budget (2 s, of which a seal is 1)."""

_log = structlog.get_logger("hyeopjin.media.store")


class StoreClock(Protocol):
    """CLOCK_BOOTTIME ns, Unix ns, and the id of this boot."""

    def boottime_ns(self) -> int: ...
    def wall_ns(self) -> int: ...
    @property
    def boot_id(self) -> bytes: ...


@dataclass(slots=True)
class Batch:
    """The plaintext of one seal, in parts; times are those of its first and last entry, CLOCK_BOOTTIME ns."""

    parts: list[bytes]
    size: int
    first_ns: int
    last_ns: int
    packets: int
    number: int = 0
    tracks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(kind, rid) -> arrival of the last packet of it in here."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What is on disk for sure: batches up to `number`, entries up to `until_ns`, the chain up to `head`.

    `tracks`: (kind, rid) -> arrival of the newest packet of it, from those batches alone that were synced.
    """

    number: int
    until_ns: int
    head: Head | None
    tracks: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Feed:
    """One seat's way into the store for one grant; spans several files when they roll, or a disk failed in
    between.

    The loop's thread reads `acknowledged`, `error`, `names`, takes from `rolled` (heads of files that were
    ended to begin the next) and sets `withdrawn`; the writer thread does the rest.
    """

    def __init__(self, spec: SegmentSpec) -> None:
        self.spec = spec
        self.acknowledged = Acknowledged(0, 0, None)
        self.error: str | None = None
        self.names: tuple[str, ...] = ()
        self.headers: tuple[bytes, ...] = ()
        self.rolled: deque[Head] = deque()
        self.withdrawn = False
        self.dropped_packets = 0
        self._next_number = 0
        self._segment: Segment | None = None
        self._unsynced: deque[Batch] = deque()
        self._waiting: deque[Batch] = deque()
        self._retry_at = 0.0
        self._finish: str | None = None
        self._done = False

    @property
    def ended(self) -> bool:
        """Whether its last file has its end mark, or never came to be."""
        return self._done


@dataclass(slots=True)
class _Work:
    feed: Feed | None
    batch: Batch | None = None
    finish: str | None = None
    barrier: Future[None] | None = field(default=None)


class StoreWriter:
    """start(), then open() feeds and submit() batches from the loop; close() ends every file. One per
    worker.
    """

    def __init__(
        self,
        clock: StoreClock,
        *,
        limit_bytes: int = QUEUE_LIMIT,
        sync_every_s: float = SYNC_EVERY_S,
        disk: Disk = DISK,
        roll_after_s: float = 0.0,
    ) -> None:
        """`roll_after_s`: end each file after so long and go on in the next one; 0: never."""
        self._clock = clock
        self._disk = disk
        self._limit = limit_bytes
        self._sync_every = sync_every_s
        self._roll_after_ns = int(roll_after_s * 1e9)
        self._wake = threading.Condition()
        self._queue: deque[_Work] = deque()
        self._bytes = 0
        self._stopping = False
        self._urgent = False
        self._feeds: list[Feed] = []
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)

    # -- the loop's side -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def queued_bytes(self) -> int:
        """Bytes held and not yet acknowledged."""
        return self._bytes

    def open(self, spec: SegmentSpec) -> Feed:
        """A new feed; its file is made at once by the thread, with the header as its first synced bytes."""
        feed = Feed(spec)
        self._put(_Work(feed))
        return feed

    def submit(self, feed: Feed, batch: Batch) -> bool:
        """Queue one batch. False when the queue is full: the caller counts a gap and goes on."""
        with self._wake:
            if self._stopping or self._bytes + batch.size > self._limit:
                return False
            feed._next_number += 1
            batch.number = feed._next_number
            self._bytes += batch.size
            self._queue.append(_Work(feed, batch=batch))
        return True

    def finish(self, feed: Feed, reason: str, *, withdrawn: bool = False) -> None:
        """End the feed's file. `withdrawn`: whatever of it is not sealed yet is dropped, not written."""
        if withdrawn:
            feed.withdrawn = True
        self._put(_Work(feed, finish=reason))

    def flushed(self) -> Future[None]:
        """Done when everything submitted before has been written and synced (or has failed once)."""
        done: Future[None] = Future()
        if not self._put(_Work(None, barrier=done)):
            done.set_result(None)
        return done

    def close(self, timeout_s: float = 5.0) -> bool:
        """End every file and stop. False when the disk did not let it finish in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _put(self, work: _Work) -> bool:
        with self._wake:
            if self._stopping:
                return False
            self._queue.append(work)
            self._urgent = True
            self._wake.notify()
        return True

    # -- the thread's side -----------------------------------------------------------------------------------

    def _run(self) -> None:
        due = time.monotonic() + self._sync_every
        while True:
            with self._wake:
                if not self._urgent and not self._stopping:
                    self._wake.wait(min(GATHER_S, max(0.0, due - time.monotonic())))
                self._urgent = False
                work, stopping = list(self._queue), self._stopping
                self._queue.clear()
            barriers: list[Future[None]] = []
            for item in work:
                try:
                    self._apply(item, barriers)
                except Exception:  # the thread is the store: it must outlive a fault in one feed
                    _log.exception("store_fault")
            if barriers or stopping or time.monotonic() >= due:
                try:
                    self._retry(force=stopping)
                    self._sync()
                except Exception:
                    _log.exception("store_fault")
                due = time.monotonic() + self._sync_every
            for barrier in barriers:
                barrier.set_result(None)
            if stopping:
                self._end_all()
                return

    def _apply(self, work: _Work, barriers: list[Future[None]]) -> None:
        feed = work.feed
        if feed is None:
            if work.barrier:
                barriers.append(work.barrier)
            return
        if work.batch is not None:
            feed._waiting.append(work.batch)
        elif work.finish is not None:
            feed._finish = work.finish
        else:
            self._feeds.append(feed)
        if time.monotonic() >= feed._retry_at:
            self._drain(feed)

    def _drain(self, feed: Feed) -> None:
        """Write what waits for this feed, and end it when asked to; an error leaves the rest waiting."""
        if feed._done:
            self._forget(feed)
            return
        try:
            if feed._segment is None and not (feed.withdrawn and feed._finish):
                self._open_segment(feed)
            while feed._waiting:
                if feed.withdrawn:
                    self._forget(feed)
                    break
                batch = feed._waiting[0]
                if feed._segment is None:
                    break
                feed._segment.seal(b"".join(batch.parts), batch.packets)
                feed._waiting.popleft()
                feed._unsynced.append(batch)
            if feed._finish is not None:
                self._end(feed)
        except SegmentError as error:
            self._fail(feed, error)

    def _open_segment(self, feed: Feed) -> None:
        clock = self._clock
        segment = Segment(feed.spec, clock.boottime_ns(), clock.wall_ns(), clock.boot_id, self._disk)
        feed._segment = segment
        feed.names = (*feed.names, segment.name)
        feed.headers = (*feed.headers, segment.header)
        feed.error = None

    def _end(self, feed: Feed) -> None:
        if feed._segment is not None:
            feed._segment.end(self._clock.boottime_ns(), feed._finish or "closed")
            self._acknowledge(feed)
        feed._done = True
        feed._segment = None
        if feed in self._feeds:
            self._feeds.remove(feed)

    def _fail(self, feed: Feed, error: SegmentError) -> None:
        if feed.error != error.code:
            _log.error("store_failed", code=error.code, epoch=feed.spec.epoch)
        feed.error = error.code
        if feed._segment is not None:
            feed._segment.abandon()
            feed._segment = None
        # What was written and not synced may be lost with the file: it goes into the next one again.
        feed._waiting.extendleft(reversed(feed._unsynced))
        feed._unsynced.clear()
        feed._retry_at = time.monotonic() + RETRY_AFTER_S

    def _retry(self, *, force: bool) -> None:
        for feed in list(self._feeds):
            if feed.error is not None and (force or time.monotonic() >= feed._retry_at):
                self._drain(feed)

    def _sync(self) -> None:
        """The grouped fdatasync: every file that got bytes since the last one."""
        for feed in list(self._feeds):
            try:
                if self._roll_due(feed):
                    self._roll(feed)
                elif feed._segment is not None and feed._unsynced:
                    feed._segment.sync()
                    self._acknowledge(feed)
            except SegmentError as error:
                self._fail(feed, error)

    def _roll_due(self, feed: Feed) -> bool:
        if not self._roll_after_ns or feed._segment is None or feed.withdrawn:
            return False
        return self._clock.boottime_ns() - feed._segment.opened_ns >= self._roll_after_ns

    def _roll(self, feed: Feed) -> None:
        """End the file, which a copier may then take as whole, and begin the next one at once."""
        if feed._segment is None:
            return
        feed._segment.end(self._clock.boottime_ns(), layout.ROLLED)
        self._acknowledge(feed)
        feed.rolled.append(feed._segment.head)
        feed._segment = None
        self._open_segment(feed)

    def _acknowledge(self, feed: Feed) -> None:
        if feed._segment is None:
            return
        last = feed.acknowledged
        number, until_ns, tracks = last.number, last.until_ns, dict(last.tracks)
        freed = 0
        for batch in feed._unsynced:
            number, until_ns = batch.number, max(until_ns, batch.last_ns)
            tracks.update(batch.tracks)
            freed += batch.size
        feed._unsynced.clear()
        feed.acknowledged = Acknowledged(number, until_ns, feed._segment.head, tracks)
        with self._wake:
            self._bytes -= freed

    def _forget(self, feed: Feed) -> None:
        freed = sum(batch.size for batch in feed._waiting)
        feed.dropped_packets += sum(batch.packets for batch in feed._waiting)
        feed._waiting.clear()
        with self._wake:
            self._bytes -= freed

    def _end_all(self) -> None:
        for feed in list(self._feeds):
            feed._finish = feed._finish or "closed"
            self._drain(feed)
            if feed._segment is not None:
                feed._segment.abandon()


__all__ = ["Acknowledged", "Batch", "Feed", "Head", "SegmentSpec", "StoreClock", "StoreWriter", "layout"]
