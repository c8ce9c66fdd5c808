"""Reads a segment back: strict about every byte, and never raising on what it finds.

Damage is reported as a list of faults; what is intact before and after it is still yielded, because each seal
names its predecessor and can be opened alone. It must not repair or write anything.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import layout

MAX_FAULTS = 1000
SCAN = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where (byte offset, seal index or -1).

    Codes: unreadable, bad_magic, bad_version, bad_header, misnamed, bad_seal, bad_index, bad_chain, bad_tag,
    bad_entry, truncated, after_end, bad_end, missing_end.
    """

    code: str
    offset: int
    index: int


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal as found: where it lies and what it hashes to; `plain` is None without the key or if
    damaged.
    """

    index: int
    kind: int
    offset: int
    length: int
    hash: str
    plain: bytes | None


@dataclass(slots=True)
class SegmentReport:
    """What one pass over a segment found. `ended`: the end mark is there and true."""

    path: Path
    seat: str = ""
    header: layout.Header | None = None
    faults: list[Fault] = field(default_factory=list)
    seals: int = 0
    hashes: dict[int, str] = field(default_factory=dict)
    head_index: int = -1
    head_hash: str = ""
    ended: bool = False
    reason: str = ""
    size: int = 0

    @property
    def damaged(self) -> bool:
        """Faults that a crash does not explain (a crash leaves a torn last seal and no end mark)."""
        return any(f.code not in ("truncated", "missing_end") for f in self.faults)

    def fault(self, code: str, offset: int, index: int = -1) -> None:
        """Note a fault, up to a limit."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(code, offset, index))


class SegmentReader:
    """One segment file. Use as a context manager; `seals()` fills `report` as it goes.

    `key` is the seat's key; None walks the chain without opening anything. `header` replaces a damaged one
    (the
    room's file holds a copy of each).
    """

    def __init__(self, path: Path, key: bytes | None, *, header: bytes | None = None) -> None:
        self.report = SegmentReport(path)
        self._fd = -1
        self._key = key
        self._spare = header
        self._header = b""
        self._aead: AESGCM | None = None
        self._start = 0

    def __enter__(self) -> SegmentReader:
        report = self.report
        try:
            self._fd = os.open(report.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            report.size = os.fstat(self._fd).st_size
        except OSError:
            report.fault("unreadable", 0)
            return self
        self._read_header()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back; open_at() takes one again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self, begin: int, end: int) -> bytes:
        """Bytes [begin, end); zeros where the disk does not give them, which no tag survives."""
        data = b""
        with contextlib.suppress(OSError):
            data = os.pread(self._fd, end - begin, begin)
        if len(data) < end - begin:
            self.report.fault("unreadable", begin + len(data))
            data = data.ljust(end - begin, b"\0")
        return data

    def _read_header(self) -> None:
        report = self.report
        named = layout.parse_segment_name(report.path.name)
        report.seat = named[0] if named else ""
        try:
            header, self._start = layout.parse_header(self._read(0, min(4096, report.size)))
            self._header = self._read(0, self._start)
        except layout.LayoutError as error:
            short = report.size < 128 and self._spare is None
            report.fault("truncated" if short and error.code != "bad_version" else error.code, 0)
            header = None
        if header is not None:
            place = (header.seat, header.ordinal, header.recording, str(header.epoch))
            parents = (report.path.parent.parent.name, report.path.parent.name)
            if named is None or place != (*named, *parents):
                report.fault("misnamed", 0)
        if self._spare is not None and self._spare != self._header:
            if header is not None:
                report.fault("bad_header", 0)
            header, length = layout.parse_header(self._spare)
            self._header, self._start = self._spare, length
        report.header = header
        if header is not None:
            report.seat = header.seat
            if self._key is not None:
                self._aead = AESGCM(layout.segment_key(self._key, header))

    def seals(self) -> Iterator[Seal]:
        """Every seal that can be made out, in file order, the end mark included."""
        report = self.report
        if report.header is None:
            return
        expected = layout.chain_start(self._header)
        at, index = self._start, 0
        broken = False
        while at < report.size:
            head = self._head(at, index)
            if head is None:
                at = self._resync(at)
                broken = True
                continue
            kind, length, found, previous = head
            end = at + layout.SEAL_HEAD.size + length
            if end > report.size:
                # A torn last seal has nothing after it; a lying length hides the seals that it swallows.
                if self._resync(at) == report.size:
                    report.fault(self._torn(), at, found)
                    break
                report.fault("bad_seal", at, found)
                at, broken = self._resync(at), True
                continue
            if report.ended:
                report.fault("after_end", at, found)
            seal = self._seal(at, end, kind, found)
            if found != index:
                report.fault("bad_index", at, found)
            elif previous != expected and not broken:
                report.fault("bad_header" if found == 0 else "bad_chain", at, found)
            broken = seal.plain is None and self._aead is not None
            if not broken:
                report.hashes[found] = seal.hash
                report.head_index, report.head_hash = found, seal.hash
                report.seals += kind == layout.DATA
            if kind == layout.END_MARK:
                self._end(seal, at)
            yield seal
            expected = bytes.fromhex(seal.hash)
            # A seal that does not open may lie about its number: count on from the one that was due.
            at, index = end, (index if broken else found) + 1
        if not report.ended:
            report.fault("missing_end", report.size)

    def _head(self, at: int, index: int) -> tuple[int, int, int, bytes] | None:
        report = self.report
        size = layout.SEAL_HEAD.size
        if at + size > report.size:
            report.fault(self._torn(), at, index)
            return None
        mark, kind, zero, zeros, length, found, previous = layout.SEAL_HEAD.unpack(self._read(at, at + size))
        good = mark == layout.SEAL_MARK and kind in (layout.DATA, layout.END_MARK) and not zero and not zeros
        if (
            not good
            or not layout.TAG_BYTES <= length <= layout.MAX_PLAIN + layout.TAG_BYTES
            or found > 1 << 40
        ):
            report.fault("bad_seal", at, index)
            return None
        return kind, length, found, previous

    def _torn(self) -> str:
        """What half a seal means: a crash leaves it at the end, but writes nothing behind an end mark."""
        return "after_end" if self.report.ended else "truncated"

    def _resync(self, at: int) -> int:
        """Where the next seal may begin after bytes that are none."""
        at += 1
        while at < self.report.size:
            part = self._read(at, min(at + SCAN, self.report.size))
            found = part.find(layout.SEAL_MARK)
            if found >= 0:
                return at + found
            at += SCAN - len(layout.SEAL_MARK) + 1
        return self.report.size

    def _seal(self, at: int, end: int, kind: int, index: int) -> Seal:
        middle = at + layout.SEAL_HEAD.size
        head, cipher = self._read(at, middle), self._read(middle, end)
        plain: bytes | None = None
        if self._aead is not None:
            try:
                plain = self._aead.decrypt(layout.nonce(index), cipher, self._header + head)
            except InvalidTag:
                self.report.fault("bad_tag", at, index)
        return Seal(index, kind, at, end - at, layout.chain_next(head, cipher).hex(), plain)

    def _end(self, seal: Seal, at: int) -> None:
        report = self.report
        if self._aead is None:
            report.ended = True  # without the key the mark can be seen, not tested
            return
        if seal.plain is None:
            return
        try:
            kind, _, start, end = next(layout.entries(seal.plain))
            seals, _, reason = layout.parse_end(seal.plain[start:end])
        except (layout.LayoutError, StopIteration):
            report.fault("bad_end", at, seal.index)
            return
        if kind != layout.END or seals != seal.index:
            report.fault("bad_end", at, seal.index)
            return
        report.ended, report.reason = True, reason

    def open_at(self, offset: int) -> bytes | None:
        """The plaintext of the seal at `offset` again (as given by `seals()`); None if it does not open."""
        if self._aead is None:
            return None
        if self._fd < 0:
            try:
                self._fd = os.open(self.report.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except OSError:
                return None
        found = self._head(offset, -1)
        if found is None:
            return None
        middle = offset + layout.SEAL_HEAD.size
        sealed = self._read(offset, middle + found[1])
        head, cipher = sealed[: layout.SEAL_HEAD.size], sealed[layout.SEAL_HEAD.size :]
        try:
            return self._aead.decrypt(layout.nonce(found[2]), cipher, self._header + head)
        except InvalidTag:
            return None


def walk(seal: Seal, report: SegmentReport) -> Iterator[tuple[int, int, int, int]]:
    """Entries of a seal's plaintext; a lying length ends the seal with a `bad_entry` fault."""
    if seal.plain is None:
        return
    try:
        yield from layout.entries(seal.plain)
    except layout.LayoutError:
        report.fault("bad_entry", seal.offset, seal.index)
