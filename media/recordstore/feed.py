"""One seat's way into the store, and what goes along it. Values only; the writer acts on them.

The underscored fields of a Feed are the writer thread's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from .segment import Head, Segment, SegmentSpec


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


@dataclass(frozen=True, slots=True)
class Unwritten:
    """What a feed held and could not get onto the disk: CLOCK_BOOTTIME ns, RTP packets."""

    from_ns: int
    to_ns: int
    packets: int


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
        self.held_bytes = 0
        self._next_number = 0
        self._segment: Segment | None = None
        self._unsynced: deque[Batch] = deque()
        self._waiting: deque[Batch] = deque()
        self._retry_at = 0.0
        self._failures = 0
        self._finish: str | None = None
        self._done = False

    @property
    def ended(self) -> bool:
        """Whether its last file has its end mark, or never came to be."""
        return self._done


@dataclass(slots=True)
class StoreStats:
    """Counters since the start, for metrics. Failures by code; packets that nobody will find again."""

    no_space: int = 0
    read_only: int = 0
    io_error: int = 0
    lost_packets: int = 0
    written_bytes: int = 0

    def note(self, code: str) -> None:
        """One operation failed."""
        if code in ("no_space", "read_only", "io_error"):
            setattr(self, code, getattr(self, code) + 1)


@dataclass(slots=True)
class Work:
    feed: Feed | None
    batch: Batch | None = None
    finish: str | None = None
    barrier: Future[None] | None = field(default=None)
    give_up: Future[Unwritten | None] | None = field(default=None)
