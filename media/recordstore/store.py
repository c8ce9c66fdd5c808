"""The worker's one writer thread: takes batches of entries, seals them, syncs once a second, acknowledges.

It never raises into the media path: a full disk or an I/O error is reported on the feed and retried with a
new segment, while batches wait in memory up to a limit. A feed whose file failed may not take the memory of
those whose files are well. It must not look inside a batch, and acknowledges nothing that has not been
through fdatasync.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import Protocol

import structlog

from media.fence import Fence

from . import layout
from .disk import DISK, Disk
from .feed import Acknowledged, Batch, Feed, StoreStats, Unwritten, Work
from .segment import Segment, SegmentError, SegmentSpec
from .space import SpaceGate

QUEUE_LIMIT = 32 * 1024 * 1024
FAILED_SHARE, ALL_FAILED_SHARE = 8, 2
"""A feed in error keeps at most an eighth of the queue, all such together half of it."""
AFTER_LOSS_SHARE = 64
ROOM_EXTRA = 1024 * 1024
"""Beyond the limit, for rooms' files alone: events and gaps, a few hundred bytes a second."""
SYNC_EVERY_S = 1.0
RETRY_AFTER_S, RETRY_AT_MOST = 1.0, 5
"""A failed file is followed by a new one after 1 s, 2 s … 5 s."""
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
        gate: SpaceGate | None = None,
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        """`roll_after_s`: end each file after so long and go on in the next one; 0: never."""
        self._clock = clock
        self._disk = disk
        self._gate = gate
        self.stats = StoreStats()
        self.fence = Fence()
        self._limit = limit_bytes
        self._sync_every = sync_every_s
        self._roll_after_ns = int(roll_after_s * 1e9)
        self._retry_after = retry_after_s
        self._wake = threading.Condition()
        self._queue: deque[Work] = deque()
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
        self._put(Work(feed))
        return feed

    def submit(self, feed: Feed, batch: Batch, *, after_loss: bool = False) -> bool:
        """Queue one batch. False when the queue is full: the caller counts a gap and goes on.

        `after_loss`: only if there is room for more than this, so that a gap does not fall into crumbs.
        """
        with self._wake:
            size = batch.size + (self._limit // AFTER_LOSS_SHARE if after_loss else 0)
            if self._stopping or not self._fits(feed, size):
                self.stats.lost_packets += batch.packets
                return False
            feed._next_number += 1
            batch.number = feed._next_number
            self._bytes += batch.size
            feed.held_bytes += batch.size
            self._queue.append(Work(feed, batch=batch))
        return True

    def _fits(self, feed: Feed, size: int) -> bool:
        limit = self._limit
        if feed.spec.seat == layout.ROOM:
            return self._bytes + size <= limit + ROOM_EXTRA
        if self._bytes + size > limit:
            return False
        if feed.error is None:
            return True
        failed = sum(other.held_bytes for other in list(self._feeds) if other.error is not None)
        return feed.held_bytes + size <= limit // FAILED_SHARE and failed + size <= limit // ALL_FAILED_SHARE

    def finish(self, feed: Feed, reason: str, *, withdrawn: bool = False) -> None:
        """End the feed's file. `withdrawn`: whatever of it is not sealed yet is dropped, not written."""
        if withdrawn:
            feed.withdrawn = True
        self._put(Work(feed, finish=reason))

    def give_up(self, feed: Feed) -> Future[Unwritten | None]:
        """End a feed now. What could not be written is dropped, and the answer says what that was."""
        done: Future[Unwritten | None] = Future()
        if not self._put(Work(feed, give_up=done)):
            done.set_result(None)
        return done

    def flushed(self) -> Future[None]:
        """Done when everything submitted before has been written and synced (or has failed once)."""
        done: Future[None] = Future()
        if not self._put(Work(None, barrier=done)):
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

    def _put(self, work: Work) -> bool:
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
                    if self._gate is not None:
                        self._gate.look()
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

    def _apply(self, work: Work, barriers: list[Future[None]]) -> None:
        feed = work.feed
        if feed is None:
            if work.barrier:
                barriers.append(work.barrier)
            return
        if work.give_up is not None:
            work.give_up.set_result(self._give_up(feed))
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
        if self._refuses(feed):
            return
        if self.fence.shut(self._clock.boottime_ns()):
            self._drop(feed)
            if feed._segment is None and feed._finish is None:
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

    def _refuses(self, feed: Feed) -> bool:
        """Below the floor media waits; the rooms' files, withdrawals and what has nothing to write go on."""
        if feed.withdrawn or not self._refuses_new(feed):
            return False
        if not feed._waiting and feed._segment is not None:
            return False
        self._note(feed, "no_space")
        return True

    def _refuses_new(self, feed: Feed) -> bool:
        return self._gate is not None and not self._gate.open and feed.spec.seat != layout.ROOM

    def _give_up(self, feed: Feed) -> Unwritten | None:
        if feed._done:
            return None
        left = list(feed._waiting)
        self._forget(feed)
        feed._finish = feed._finish or "closed"
        try:
            self._end(feed)
        except SegmentError as error:
            self._fail(feed, error)
            left = [*feed._waiting, *left]
            self._forget(feed)
            feed._segment = None
            self._end(feed)
        with self._wake:
            packets = sum(batch.packets for batch in left)
            self.stats.lost_packets += packets
        return Unwritten(left[0].first_ns, left[-1].last_ns, packets) if left else None

    def _end(self, feed: Feed) -> None:
        if feed._segment is not None:
            feed._segment.end(self._clock.boottime_ns(), feed._finish or "closed")
            self._acknowledge(feed)
        feed._done = True
        feed._segment = None
        if feed in self._feeds:
            self._feeds.remove(feed)

    def _fail(self, feed: Feed, error: SegmentError) -> None:
        self.stats.note(error.code)
        feed._failures += 1
        if error.code == "no_space" and self._gate is not None:
            self._gate.refused()
        self._note(feed, error.code)
        if feed._segment is not None:
            feed._segment.abandon()
            feed._segment = None
        # What was written and not synced may be lost with the file: it goes into the next one again.
        feed._waiting.extendleft(reversed(feed._unsynced))
        feed._unsynced.clear()

    def _note(self, feed: Feed, code: str) -> None:
        if feed.error != code:
            _log.error("store_failed", code=code, epoch=feed.spec.epoch)
        feed.error = code
        # Each try that fails at its sync leaves a file with all that waits: not every second, for ever.
        times = min(max(1, feed._failures), RETRY_AT_MOST)
        feed._retry_at = time.monotonic() + self._retry_after * times

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
        now_ns = self._clock.boottime_ns()
        if (
            not self._roll_after_ns
            or self.fence.shut(now_ns)
            or feed._segment is None
            or feed.withdrawn
            or self._refuses_new(feed)
        ):
            return False
        return now_ns - feed._segment.opened_ns >= self._roll_after_ns

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
        feed._failures = 0
        feed.error = None  # not before: a file that opens and does not sync is no recovery
        self.stats.written_bytes += freed
        self._free(feed, freed)

    def _drop(self, feed: Feed) -> None:
        """We slept past our leases: what was not on disk by then is not ours to write any more."""
        self.fence.packets += sum(batch.packets for batch in feed._waiting)
        self._forget(feed)

    def _forget(self, feed: Feed) -> None:
        freed = sum(batch.size for batch in feed._waiting)
        feed._waiting.clear()
        self._free(feed, freed)

    def _free(self, feed: Feed, size: int) -> None:
        with self._wake:
            self._bytes -= size
            feed.held_bytes -= size

    def _end_all(self) -> None:
        for feed in list(self._feeds):
            feed._finish = feed._finish or "closed"
            self._drain(feed)
            if feed._segment is not None:
                feed._segment.abandon()
