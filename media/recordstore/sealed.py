"""Finished files at rest: Tink's AES-GCM-HKDF streaming format, 64 KiB segments, AES-256.

A writer that can hold back the front of the file (a container patches its header last) and a reader of
ranges.
Every byte that reaches the disk is ciphertext; nothing here keeps keys beyond its own object.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .disk import DISK, Disk
from .layout import check_id, check_key

SEGMENT = 64 * 1024
"""Bytes of one ciphertext segment, its tag and (in the first) the header included."""
KEY_BYTES = 32
PREFIX_BYTES = 7
TAG = 16
HEADER = 1 + KEY_BYTES + PREFIX_BYTES
"""Length byte, salt, nonce prefix."""
FIRST = SEGMENT - TAG - HEADER
"""Plaintext bytes in the first segment ..."""
OTHER = SEGMENT - TAG
"""... and in each of the others, the last may hold fewer."""


class SealedError(Exception):
    """The file is not what was sealed. `code`: sealed_damaged, sealed_truncated, sealed_held."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def final_key(seat_key: bytes, recording: str, generation: int, name: str) -> tuple[bytes, bytes]:
    """Key and associated data of one finished file: HKDF-SHA256 with info
    `recording|generation|name|final1`.
    """
    info = f"{check_id(recording)}|{generation}|{check_id(name)}|final1".encode("ascii")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=b"", info=info).derive(check_key(seat_key)), info


def _derive(key: bytes, salt: bytes, associated: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=associated).derive(key))


def _nonce(prefix: bytes, index: int, last: bool) -> bytes:
    return prefix + index.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def _place(offset: int) -> tuple[int, int]:
    """(segment, offset inside it) of a plaintext offset."""
    if offset < FIRST:
        return 0, offset
    return 1 + (offset - FIRST) // OTHER, (offset - FIRST) % OTHER


def sealed_size(plain: int) -> int:
    """Length of the file that `plain` bytes become."""
    return plain + HEADER + (_place(max(0, plain - 1))[0] + 1) * TAG


class SealedWriter:
    """A file-like object (write, seek, tell) that seals as it goes, made with O_EXCL as `<path>.tmp`.

    The first `hold` segments stay in memory until commit() and may be written again; seeking further back
    than
    the segment at the end raises SealedError(sealed_held). commit() syncs and renames; leaving the context
    without it removes the file. Each (key, nonce) is used once: a segment is sealed once, at its final bytes.
    """

    def __init__(
        self, path: Path, key: bytes, associated: bytes, *, hold: int = 1, disk: Disk = DISK
    ) -> None:
        self.path = path
        self._tmp = path.with_name(path.name + ".tmp")
        self._disk = disk
        self._file = disk.create(self._tmp)
        self._salt, self._prefix = os.urandom(KEY_BYTES), os.urandom(PREFIX_BYTES)
        self._aead = _derive(key, self._salt, associated)
        self._hold = max(1, hold)
        self._held: dict[int, bytearray] = {0: bytearray()}
        self._last = 0
        self._at = 0
        self._size = 0
        self._open = True

    def __enter__(self) -> SealedWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._open:
            self._open = False
            self._file.close()
            self._disk.remove(self._tmp)

    def seekable(self) -> bool:
        """True: within what is held."""
        return True

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Plaintext position."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; a position beyond the end is refused, as nothing may be left unwritten."""
        base = {0: 0, 1: self._at, 2: self._size}[whence]
        if not 0 <= base + offset <= self._size:
            raise SealedError("sealed_held")
        self._at = base + offset
        return self._at

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append or overwrite at the position."""
        view = memoryview(data).cast("B")
        total = len(view)
        while view:
            index, inside = _place(self._at)
            room = (OTHER if index else FIRST) - inside
            if index == self._last + 1 and inside == 0:
                self._advance()
            held = self._held.get(index)
            if held is None:
                raise SealedError("sealed_held")
            part = view[:room]
            held[inside : inside + len(part)] = part
            self._at += len(part)
            self._size = max(self._size, self._at)
            view = view[len(part) :]
        return total

    def _advance(self) -> None:
        if self._last >= self._hold:
            self._seal(self._last, last=False)
        self._last += 1
        self._held[self._last] = bytearray()

    def _seal(self, index: int, *, last: bool) -> None:
        plain = bytes(self._held.pop(index))
        cipher = self._aead.encrypt(_nonce(self._prefix, index, last), plain, None)
        if index == 0:
            cipher = bytes((HEADER,)) + self._salt + self._prefix + cipher
        self._file.write_at(cipher, index * SEGMENT)

    def commit(self) -> None:
        """Seal what is held, fsync, rename to the final name, sync the directory."""
        for index in sorted(self._held):
            self._seal(index, last=index == self._last)
        self._file.sync()
        self._open = False
        self._file.close()
        self._disk.rename(self._tmp, self.path)
        self._disk.sync_directory(self.path.parent)


class RangeOpener:
    """Arithmetic and opening of ranges of a sealed file that lies anywhere: bytes in, bytes out, no I/O.

    `header` is the file's first 40 bytes, `sealed_size` its whole length. Raises SealedError for what
    cannot be.
    """

    def __init__(self, key: bytes, associated: bytes, header: bytes, sealed_size: int) -> None:
        if len(header) < HEADER or header[0] != HEADER:
            raise SealedError("sealed_damaged" if len(header) >= HEADER else "sealed_truncated")
        if sealed_size < HEADER + TAG:
            raise SealedError("sealed_truncated")
        self._aead = _derive(key, header[1 : 1 + KEY_BYTES], associated)
        self._prefix = header[1 + KEY_BYTES : HEADER]
        self.sealed_size = sealed_size
        self.segments = -(-sealed_size // SEGMENT)
        rest = sealed_size - (self.segments - 1) * SEGMENT
        if rest < TAG + (HEADER if self.segments == 1 else 0):
            raise SealedError("sealed_truncated")
        self.plain_size = sealed_size - HEADER - self.segments * TAG

    def sealed_range(self, start: int, end: int) -> tuple[int, int]:
        """The bytes of the file that hold plaintext [start, end), whole segments: (from, to)."""
        if not 0 <= start < end <= self.plain_size:
            raise SealedError("sealed_truncated")
        return _place(start)[0] * SEGMENT, min((_place(end - 1)[0] + 1) * SEGMENT, self.sealed_size)

    @staticmethod
    def plain_start(index: int) -> int:
        """The plaintext offset at which a segment begins."""
        return 0 if index == 0 else FIRST + (index - 1) * OTHER

    def open(self, start: int, end: int, sealed: bytes) -> bytes:
        """Plaintext [start, end) out of the bytes that sealed_range named. Raises
        SealedError(sealed_damaged).
        """
        first = _place(start)[0]
        low, high = self.sealed_range(start, end)
        if len(sealed) != high - low:
            raise SealedError("sealed_truncated")
        plain = b"".join(
            self.open_segment(first + i, sealed[i * SEGMENT : (i + 1) * SEGMENT])
            for i in range(-(-len(sealed) // SEGMENT))
        )
        skip = _place(start)[1]
        return plain[skip : skip + end - start]

    def open_segment(self, index: int, sealed: bytes) -> bytes:
        """One whole segment. Raises SealedError(sealed_damaged)."""
        cipher = sealed[HEADER:] if index == 0 else sealed
        try:
            return self._aead.decrypt(_nonce(self._prefix, index, index == self.segments - 1), cipher, None)
        except InvalidTag as error:
            raise SealedError("sealed_damaged") from error


class SealedReader:
    """Ranges of a sealed file on this disk. Opening it proves that its end is the true end."""

    def __init__(self, path: Path, key: bytes, associated: bytes) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(self._fd).st_size
            self._opener = RangeOpener(key, associated, os.pread(self._fd, HEADER, 0), size)
            last = self._opener.segments - 1
            self._opener.open_segment(last, os.pread(self._fd, SEGMENT, last * SEGMENT))
        except BaseException:
            os.close(self._fd)
            raise
        self.size = self._opener.plain_size

    def __enter__(self) -> SealedReader:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def read(self, start: int, end: int) -> bytes:
        """Plaintext [start, end), cut at the end of the file. Raises SealedError."""
        end = min(end, self.size)
        if start >= end:
            return b""
        low, high = self._opener.sealed_range(start, end)
        return self._opener.open(start, end, os.pread(self._fd, high - low, low))

    def chunks(self) -> Iterator[bytes]:
        """The whole plaintext, a segment at a time."""
        for index in range(self._opener.segments):
            yield self._opener.open_segment(index, os.pread(self._fd, SEGMENT, index * SEGMENT))


def seal_bytes(path: Path, key: bytes, associated: bytes, plain: bytes, disk: Disk = DISK) -> None:
    """Write a small finished file at once."""
    with SealedWriter(path, key, associated, disk=disk) as writer:
        writer.write(plain)
        writer.commit()
