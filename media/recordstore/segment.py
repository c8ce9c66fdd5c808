"""One journal file being written: created once, sealed in order, ended by a mark. Never opened a second time.

A state machine around one file descriptor: open -> (seal)* -> ended, or failed at the first I/O error,
after which
nothing more is written to that file. Blocking; belongs to the store's writer thread and must not run on
the loop.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import layout
from .disk import DISK, Disk, DiskFile


class SegmentError(Exception):
    """The file took an error and is finished. `code`: no_space, read_only, io_error, ended."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Head:
    """The last seal of a file: what an outside witness keeps to tell a cut tail from a crash."""

    segment: str
    index: int
    hash: str

    def as_dict(self) -> dict[str, object]:
        """As it goes over the control channel and into HEADS entries."""
        return {"segment": self.segment, "index": self.index, "hash": self.hash}


@dataclass(frozen=True, slots=True)
class SegmentSpec:
    """Where a seat's segments go and under which key; one per grant and epoch."""

    journal_root: Path
    recording: str
    epoch: int
    seat: str
    grant: str
    key: bytes

    def __repr__(self) -> str:
        return f"SegmentSpec(epoch={self.epoch})"


def error_code(error: OSError) -> str:
    """no_space for a full disk or quota, read_only for a disk that takes no writes, else io_error."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "no_space"
    return "read_only" if error.errno == errno.EROFS else "io_error"


class Segment:
    """An open segment. Every method raises SegmentError on an I/O error, and the file is then over."""

    def __init__(
        self, spec: SegmentSpec, boottime_ns: int, wall_ns: int, boot_id: bytes, disk: Disk = DISK
    ) -> None:
        directory = layout.epoch_directory(spec.journal_root, spec.recording, spec.epoch)
        try:
            disk.make_directories(directory, spec.journal_root)
            self._file, ordinal = _create(disk, directory, spec.seat)
        except OSError as error:
            raise SegmentError(error_code(error)) from error
        self.name = layout.segment_name(spec.seat, ordinal)
        self.path = directory / self.name
        self.opened_ns = boottime_ns
        salt = os.urandom(layout.SALT_BYTES)
        header = layout.Header(
            spec.recording, spec.epoch, spec.seat, spec.grant, ordinal, boottime_ns, wall_ns, boot_id, salt
        )
        self.header = header.pack()
        self._aead = AESGCM(layout.segment_key(spec.key, header))
        self._previous = layout.chain_start(self.header)
        self._index = 0
        self._packets = 0
        self._open = True
        try:
            self._file.write(self.header)
            disk.sync_directory(directory)
        except OSError as error:
            # Nothing was acknowledged in it: a full disk must not collect files without a header.
            self.abandon()
            with contextlib.suppress(OSError):
                disk.remove(self.path)
            raise SegmentError(error_code(error)) from error

    @property
    def head(self) -> Head:
        """The chain's head as written so far; index -1 and the header's hash before the first seal."""
        return Head(self.name, self._index - 1, self._previous.hex())

    def seal(self, plain: bytes, packets: int) -> None:
        """Encrypt and append one seal of `packets` RTP entries."""
        self._append(layout.DATA, plain)
        self._packets += packets

    def end(self, at_ns: int, reason: str) -> None:
        """Append the end mark and close; nothing can follow."""
        self._append(layout.END_MARK, layout.pack_end(at_ns, self._index, self._packets, reason))
        self.sync()
        self._open = False
        self._file.close()

    def sync(self) -> None:
        """fdatasync: only after it may anything be acknowledged."""
        if not self._open:
            return
        try:
            self._file.datasync()
        except OSError as error:
            self.abandon()
            raise SegmentError(error_code(error)) from error

    def abandon(self) -> None:
        """Close without an end mark, after an error: the file stays as it is."""
        if self._open:
            self._open = False
            try:
                self._file.close()
            except OSError:
                return

    def _append(self, kind: int, plain: bytes) -> None:
        if not self._open:
            raise SegmentError("ended")
        head = layout.seal_head(kind, len(plain) + layout.TAG_BYTES, self._index, self._previous)
        cipher = self._aead.encrypt(layout.nonce(self._index), plain, self.header + head)
        # The index moves before the write: a nonce that was used is never used again, even if the write
        # fails.
        self._index += 1
        self._previous = layout.chain_next(head, cipher)
        self._write(head + cipher)

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            self.abandon()
            raise SegmentError(error_code(error)) from error


def _create(disk: Disk, directory: Path, seat: str) -> tuple[DiskFile, int]:
    taken = [
        key[1] for p in directory.iterdir() if (key := layout.parse_segment_name(p.name)) and key[0] == seat
    ]
    ordinal = max(taken, default=0)
    while True:
        ordinal += 1
        try:
            return disk.create(directory / layout.segment_name(seat, ordinal), append=True), ordinal
        except FileExistsError:
            continue
