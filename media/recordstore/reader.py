"""Reads a segment back: strict about every byte, and never raising on what it finds.

Damage is reported as a list of faults; what is intact before and after it is still yielded, because each seal
names its predecessor and can be opened alone. It must not repair or write anything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import layout
from .diagnose import CODES, Due, Finding, fits, header_fields, judge, mend_header, open_seal, unwritten

MAX_FAULTS = 1000
SCAN = 1024 * 1024
LARGEST_SEAL = layout.SEAL_HEAD.size + layout.MAX_PLAIN + layout.TAG_BYTES
_PLACE = ("recording", "seat", "epoch", "ordinal")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where (byte offset, seal index or -1), and in which field as far as that can be told.

    Codes: unreadable, bad_magic, bad_version, bad_header, misnamed, bad_seal, bad_index, bad_chain, bad_tag,
    lost_seals, repeated_seal, bad_entry, truncated, after_end, bad_end, missing_end. `torn`: the bytes were
    never written (they read as zeros), as a power cut leaves them.
    """

    code: str
    offset: int
    index: int
    field: str = ""
    torn: bool = False


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
    """What one pass over a segment found. `ended`: the end mark is there and true. `moved`: a whole file, but
    of another place; nothing of it is opened.
    """

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
    moved: bool = False

    @property
    def damaged(self) -> bool:
        """Faults that a crash does not explain (it leaves torn seals at the end, and no end mark)."""
        return any(not self.excused(fault) for fault in self.faults)

    def excused(self, fault: Fault) -> bool:
        """Whether a crash or power cut may have left this, as far as this file knows."""
        return fault.code in ("truncated", "missing_end") or (fault.torn and not self.ended)

    def fault(self, code: str, offset: int, index: int = -1, field: str = "", *, torn: bool = False) -> None:
        """Note a fault, up to a limit."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(code, offset, index, field, torn))


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
        self._segment_key: bytes | None = None
        self._box: AESGCM | None = None
        self._start = 0
        self._before = 0
        self._hurt_to_the_end = False
        self._due = Due(0, b"")

    def __enter__(self) -> SegmentReader:
        report = self.report
        try:
            self._fd = open_file(report.path)
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
        data = self._read(0, min(4096, report.size))
        code, found = "", b""
        try:
            found = data[: layout.parse_header(data)[1]]
        except layout.LayoutError as error:
            code = error.code
        true = found if self._vouched(data, found) else self._spare or mend_header(data) or found
        if not true:
            short = report.size < 128 and code != "bad_version"
            report.fault("truncated" if short else code, 0, torn=unwritten(data[:512], 0, last=True))
            return
        header, self._start = layout.parse_header(true)
        self._header = true
        report.header, report.seat = header, header.seat
        place = (header.recording, header.seat, str(header.epoch), header.ordinal)
        path = report.path
        due = (path.parent.parent.name, *(named or ("", 0))[:1], path.parent.name, (named or ("", 0))[1])
        wrong = [name for name, is_, should in zip(_PLACE, place, due, strict=True) if is_ != should]
        report.moved = bool(wrong)
        for name in wrong:
            report.fault("misnamed", 0, field=name)
        if true != data and true.startswith(data):
            report.fault("truncated", 0, field="header")
        elif found != true and unwritten(data[: len(true)], 0, last=False):
            report.fault("bad_header", 0, torn=True)
        elif found != true:
            fields = header_fields(data[: len(true)], true)
            moved = code == "" and set(fields) <= set(_PLACE)
            for name in fields:
                report.fault(code or ("misnamed" if moved else "bad_header"), 0, field=name)
        if self._key is not None and not report.moved:
            self._segment_key = layout.segment_key(self._key, header)
            self._box = AESGCM(self._segment_key)

    @staticmethod
    def _vouched(data: bytes, header: bytes) -> bool:
        """Whether the first seal names this very header as its predecessor."""
        head = data[len(header) : len(header) + layout.SEAL_HEAD.size]
        if not header or len(head) < layout.SEAL_HEAD.size:
            return False
        return head[20:52] == layout.chain_start(header) and not any(head[12:20])

    def seals(self) -> Iterator[Seal]:
        """Every seal that can be made out, in file order, the end mark included; a damaged one without its
        plaintext.
        """
        report = self.report
        if report.header is None:
            return
        self._due = Due(0, layout.chain_start(self._header))
        at = self._start
        while at < report.size:
            head = self._read(at, min(at + layout.SEAL_HEAD.size, report.size))
            end = self._extent(at, head)
            plain = None
            if end is not None:
                cipher = self._read(at + len(head), end)
                plain = open_seal(self._box, self._header, head, cipher) if self._box else None
                if plain is None and self._box is not None and self._length_lies(at, head, end):
                    end = None
            if end is not None and (plain is not None or self._box is None):
                seal: Seal | None = self._good(at, end, head, cipher, plain)
            else:
                seal = self._damaged(at, end, head)
            if seal is None:
                break
            yield seal
            at += seal.length
        if not report.ended and not self._hurt_to_the_end:
            report.fault("missing_end", report.size)

    def _extent(self, at: int, head: bytes) -> int | None:
        """Where a seal ends by its own head; None if that is no head, or the file ends before."""
        if len(head) < layout.SEAL_HEAD.size:
            return None
        mark, kind, zero, zeros, length, found, _ = layout.SEAL_HEAD.unpack(head)
        good = mark == layout.SEAL_MARK and kind in (layout.DATA, layout.END_MARK) and not zero and not zeros
        good = good and layout.TAG_BYTES <= length <= layout.MAX_PLAIN + layout.TAG_BYTES and found <= 1 << 40
        end: int = at + len(head) + length
        return end if good and end <= self.report.size else None

    def _length_lies(self, at: int, head: bytes, end: int) -> bool:
        """Whether a seal that does not open would, if it were as long as up to the next mark."""
        if self._vouch(end) is not None or (end == self.report.size and self._resync(at) == end):
            return False
        other = self._resync(at)
        finding = self._judge(at, head, other)
        return finding.field == "length"

    def _vouch(self, at: int) -> bytes | None:
        """What the seal at `at` names as its predecessor; None if there is no seal."""
        head = self._read(at, min(at + layout.SEAL_HEAD.size, self.report.size))
        return head[20:52] if self._extent(at, head) is not None else None

    def _judge(self, at: int, head: bytes, end: int) -> Finding:
        cipher = self._read(at + len(head), end) if end - at <= LARGEST_SEAL else b""
        return judge(self._segment_key, self._header, head, cipher, self._due, self._vouch(end))

    def _good(self, at: int, end: int, head: bytes, cipher: bytes, plain: bytes | None) -> Seal:
        """A seal that opened, or (without a key) has the form of one: its place in the chain."""
        report, due = self.report, self._due
        kind, found = head[4], int.from_bytes(head[12:20], "big")
        digest = layout.chain_next(head, cipher)
        if report.ended:
            report.fault("after_end", at, found)
        if found != due.index and self._box is None and self._vouch(end) not in (None, digest):
            report.fault("bad_index", at, due.index, "index")
            found = due.index
        elif found < due.index:
            report.fault("repeated_seal", at, found)
        elif found > due.index and due.sure:
            report.fault("lost_seals", at, due.index, f"{due.index}-{found - 1}")
        elif head[20:52] != due.previous and due.sure:
            self._parted(at, end, found, digest)
        report.hashes[found] = digest.hex()
        report.head_index, report.head_hash = found, digest.hex()
        report.seals += kind == layout.DATA
        seal = Seal(found, kind, at, end - at, digest.hex(), plain)
        if kind == layout.END_MARK:
            self._end(seal)
        self._due, self._before = Due(found + 1, digest), at
        return seal

    def _parted(self, at: int, end: int, index: int, digest: bytes) -> None:
        """The chain parts between a seal and the one before: without a key, the seal behind tells which of
        the two was changed.
        """
        if index and self._box is None and self._vouch(end) in (None, digest):
            self.report.fault("bad_chain", self._before, index - 1, "seal")
            self.report.hashes.pop(index - 1, None)
        else:
            self.report.fault("bad_chain" if index else "bad_header", at, index, "previous")

    def _damaged(self, at: int, end: int | None, head: bytes) -> Seal | None:
        """A stretch that is no seal, or one that does not open. None: the file ends in it."""
        report, due = self.report, self._due
        stop = end if end is not None else self._resync(at)
        part = self._read(at, min(stop, at + LARGEST_SEAL))
        torn = unwritten(part, at, last=stop == report.size)
        whole = len(head) == layout.SEAL_HEAD.size
        finding = self._judge(at, head, stop) if whole and stop - at > len(head) + layout.TAG_BYTES else None
        known = finding is not None and finding.hash is not None
        if end is None and stop == report.size and not known:
            # What a crash tears is the beginning of the very seal that is due; behind an end mark is nothing.
            wrong = "" if torn else fits(head, due)
            code = "after_end" if report.ended else CODES[wrong] if wrong else "truncated"
            report.fault(code, at, due.index, wrong, torn=torn)
            return None
        field = finding.field if finding is not None else "length"
        if end is None and not known:
            field = fits(head, due) or "length"
        report.fault(CODES.get(field, "bad_tag"), at, due.index, field, torn=torn)
        if finding is not None and finding.hash is not None and not torn:
            self._due = Due(due.index + 1, finding.hash)
        else:
            self._due = Due(due.index + 1, due.previous, sure=False)
        self._hurt_to_the_end = stop == report.size and not torn
        return Seal(due.index, head[4] if whole else 0, at, stop - at, "", None)

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

    def _end(self, seal: Seal) -> None:
        report = self.report
        if self._box is None:
            report.ended = True  # without the key the mark can be seen, not tested
            return
        if seal.plain is None:
            return
        try:
            kind, _, start, end = next(layout.entries(seal.plain))
            seals, _, reason = layout.parse_end(seal.plain[start:end])
        except (layout.LayoutError, StopIteration):
            report.fault("bad_end", seal.offset, seal.index)
            return
        if kind != layout.END or seals != seal.index:
            report.fault("bad_end", seal.offset, seal.index)
            return
        report.ended, report.reason = True, reason

    def open_at(self, offset: int) -> bytes | None:
        """The plaintext of the seal at `offset` again (as given by `seals()`); None if it does not open."""
        if self._box is None:
            return None
        if self._fd < 0:
            try:
                self._fd = open_file(self.report.path)
            except OSError:
                return None
        head = self._read(offset, min(offset + layout.SEAL_HEAD.size, self.report.size))
        end = self._extent(offset, head)
        if end is None:
            return None
        return open_seal(self._box, self._header, head, self._read(offset + len(head), end))


def open_file(path: Path) -> int:
    """A descriptor to read by. Raises OSError for what is no file: a link, a folder, a pipe to wait for."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return fd


def walk(seal: Seal, report: SegmentReport) -> Iterator[tuple[int, int, int, int]]:
    """Entries of a seal's plaintext; a lying length ends the seal with a `bad_entry` fault."""
    if seal.plain is None:
        return
    try:
        yield from layout.entries(seal.plain)
    except layout.LayoutError:
        report.fault("bad_entry", seal.offset, seal.index)
