"""Where documents are: sealed parts below `documents/<document>/<file>.sealed`, or in the object store.

A part is up to some MiB of plaintext in a sealed file of its own (the recordings' format, an own salt), under
the document's key (`keys/<case>/<document>.key`), bound to document and number. It is written whole, synced
and renamed before anybody names it in the books; what the books do not name may be removed at any time.
It must not know who may read, nor write a plaintext anywhere. Names with `_now` block: for threads.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from media.recordstore.disk import DISK, Disk
from media.recordstore.sealed import (
    HEADER,
    SEGMENT,
    RangeOpener,
    SealedError,
    SealedWriter,
    final_key,
    sealed_size,
)
from server.domain.documents import Part
from server.runtime.bucket import Bucket, ObjectError
from server.runtime.keystore import KeyStore, KeyStoreError
from server.runtime.preview_cache import PreviewCache
from server.storage.ids import new_id

ENDING = ".sealed"
READ_AT_ONCE = 1024 * 1024
_WITHOUT_KEY = {"key_destroyed": "document_destroyed", "key_unreadable": "document_unreadable"}


class DocumentGoneError(Exception):
    """The bytes cannot be read. `code`: document_destroyed (its key is gone), document_damaged,
    document_unreadable (a disk, a key or the object store does not give it now).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PartWriter:
    """One part being written. `commit` or `discard` ends it. Blocking."""

    def __init__(self, store: DocumentStore, document: str, number: int, key: bytes) -> None:
        self.number = number
        self.file = new_id()
        self.size = 0
        folder = store.folder(document)
        store.disk.make_directories(folder, store.root)
        sealing = final_key(key, document, number, "part")
        self._writer = SealedWriter(folder / f"{self.file}{ENDING}", *sealing, disk=store.disk)
        self._disk = store.disk

    def write(self, data: bytes) -> None:
        """Append. Raises OSError; nothing of the part is left then."""
        with self._gone_on_error():
            self.size += self._writer.write(data)

    def commit(self, start: int) -> Part:
        """Seal, sync and name it. Raises OSError; nothing of the part is left then."""
        with self._gone_on_error():
            self._writer.commit()
        return Part(self.number, start, self.size, self.file)

    def discard(self) -> None:
        """Give it up. Never raises."""
        with contextlib.suppress(OSError):
            self._writer.__exit__(None, None, None)

    @contextlib.contextmanager
    def _gone_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self.discard()
            raise


class DocumentReader:
    """A document's plaintext by range: what scanners, decoders and downloads read (`decode.Source`).

    Safe from several threads, one at a time. Close it.
    """

    def __init__(self, store: DocumentStore, document: str, parts: Sequence[Part], key: bytes) -> None:
        self._store = store
        self._document = document
        self._parts = list(parts)
        self._starts = [part.start for part in parts]
        self._key = key
        self._lock = threading.Lock()
        self._open: _OpenPart | None = None
        self.size = parts[-1].start + parts[-1].size if parts else 0

    async def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer at the end. Raises DocumentGoneError."""
        return await asyncio.to_thread(self.read_now, offset, length)

    def read_now(self, offset: int, length: int) -> bytes:
        """The same, blocking."""
        end = min(offset + length, self.size)
        found = []
        with self._lock:
            while offset < end:
                part = self._parts[bisect.bisect_right(self._starts, offset) - 1]
                upto = min(end, part.start + part.size)
                try:
                    found.append(self._of(part).read(offset - part.start, upto - part.start))
                except (SealedError, OSError, ObjectError) as error:
                    raise DocumentGoneError(_why_not(error)) from error
                offset = upto
        return b"".join(found)

    def _of(self, part: Part) -> _OpenPart:
        if self._open is None or self._open.part != part:
            self.close()
            self._open = self._store.open_part(self._document, part, self._key)
        return self._open

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class DocumentStore:
    """`remote`: the object store, where one is set up: finished documents move there. Of what their pages
    look like `preview_bytes` are kept here, while the disk has `floor_bytes`.
    """

    def __init__(
        self,
        root: Path,
        keys: KeyStore,
        disk: Disk = DISK,
        remote: Bucket | None = None,
        *,
        preview_bytes: int = 0,
        floor_bytes: int = 0,
    ) -> None:
        self.root = root.absolute()
        self.previews = PreviewCache(self.root.with_name("previews"), disk, preview_bytes, floor_bytes)
        self.disk = disk
        self._keys = keys
        self._remote = remote
        self._moving = asyncio.Lock()  # nothing is put there while what it belongs to is removed
        disk.make_directory(self.root, parents=True)

    def folder(self, document: str) -> Path:
        return self.root / document

    def free_now(self) -> int:
        """What may still be written. Raises OSError."""
        return self.disk.space(self.root).free

    def begin_now(self, case: str, document: str, number: int) -> PartWriter:
        """The next part. Raises OSError, DocumentGoneError."""
        return PartWriter(self, document, number, self._key(case, document, make=True))

    def forget_now(self, document: str, part: Part) -> None:
        """Remove a part that nobody will name."""
        self.disk.remove(self.folder(document) / f"{part.file}{ENDING}")

    def reader_now(self, case: str, document: str, parts: Sequence[Part]) -> DocumentReader:
        """Raises DocumentGoneError."""
        return DocumentReader(self, document, parts, self._key(case, document))

    def open_part(self, document: str, part: Part, key: bytes) -> _OpenPart:
        """Raises OSError, ObjectError, SealedError."""
        path = self.folder(document) / f"{part.file}{ENDING}"
        sealing = final_key(key, document, part.number, "part")
        try:
            return _OpenPart(part, _LocalFile(path), sealing)
        except FileNotFoundError:
            if self._remote is None:
                raise
        path_there = _remote_path(document, part.file)
        return _OpenPart(part, _RemoteFile(self._remote, path_there, sealed_size(part.size)), sealing)

    def preview_now(self, case: str, document: str, page: int, width: int) -> bytes | None:
        """A picture that was made before. Raises DocumentGoneError."""
        return self.previews.find(document, page, width, self._key(case, document))

    def keep_preview_now(self, case: str, document: str, page: int, width: int, picture: bytes) -> None:
        """For the next time; not of one that is gone meanwhile. Never raises."""
        with contextlib.suppress(DocumentGoneError):
            self.previews.keep(document, page, width, self._key(case, document), picture)

    def left_now(self, document: str) -> bool:
        """Whether something of it still lies here or in the object store. Raises ObjectError."""
        if self.folder(document).exists() or self.previews.holds(document):
            return True
        return self._remote is not None and bool(self._remote.listing(f"documents/{document}"))

    def destroyed(self, case: str, document: str) -> bool:
        """Whether its key is gone for good."""
        return self._keys.destroyed(case, document) and self._keys.is_gone(case, document)

    async def destroy(self, case: str, document: str, parts: Sequence[Part]) -> None:
        """The key first: nothing that comes after can bring it back. May be done again."""
        await asyncio.to_thread(self._keys.destroy, case, document)
        async with self._moving:
            await asyncio.to_thread(shutil.rmtree, self.folder(document), True)
            await asyncio.to_thread(self.previews.forget, document)
            if self._remote is not None:
                await self._remote.delete(*(_remote_path(document, part.file) for part in parts))

    @property
    def moves_out(self) -> bool:
        """Whether there is an object store for finished documents."""
        return self._remote is not None

    def lying_here(self) -> list[str]:
        """Documents of which something lies on this disk. Blocking."""
        with contextlib.suppress(OSError):
            return sorted(path.name for path in self.root.iterdir() if path.is_dir())
        return []

    async def move_out(self, case: str, document: str, parts: Sequence[Part]) -> bool:
        """Put parts that lie here into the object store; whether none is left here. Raises ObjectError."""
        if self._remote is None:
            return False
        for part in parts:
            path = self.folder(document) / f"{part.file}{ENDING}"
            async with self._moving:
                if await asyncio.to_thread(self._keys.destroyed, case, document):
                    return False
                if await asyncio.to_thread(path.exists):
                    await self._put(self._remote, _remote_path(document, part.file), path)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self.folder(document).rmdir)
        return True

    async def _put(self, remote: Bucket, target: str, path: Path) -> None:
        """And remove it here, once the store has it."""
        try:
            await remote.put_new(target, path)
        except ObjectError as error:
            size = await asyncio.to_thread(lambda: path.stat().st_size)
            if error.code != "object_exists" or await remote.size(target) != size:
                raise
        await asyncio.to_thread(self.disk.remove, path)

    def tidy_now(self, document: str, parts: Sequence[Part]) -> None:
        """Remove what a killed server or an overtaken connection left beside the parts. Never raises."""
        known = {f"{part.file}{ENDING}" for part in parts}
        with contextlib.suppress(OSError):
            for path in self.folder(document).iterdir():
                if path.name not in known:
                    self.disk.remove(path)

    def _key(self, case: str, document: str, *, make: bool = False) -> bytes:
        try:
            give = self._keys.seat_key if make else self._keys.existing_key
            key = give(case, document)
        except KeyStoreError as error:
            raise DocumentGoneError(_WITHOUT_KEY.get(error.code, "document_damaged")) from error
        if key is None:
            raise DocumentGoneError("document_damaged")
        return key


class _LocalFile:
    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        self.size = os.fstat(self._fd).st_size

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._fd, length, start)

    def close(self) -> None:
        os.close(self._fd)


class _RemoteFile:
    """Some way ahead of its reader: a request for each segment would be all waiting."""

    def __init__(self, bucket: Bucket, path: str, size: int) -> None:
        self._bucket, self._path, self.size = bucket, path, size
        self._held, self._from = b"", 0

    def read(self, start: int, length: int) -> bytes:
        if not self._from <= start or start + length > self._from + len(self._held):
            ahead = min(max(length, READ_AT_ONCE), self.size - start)
            self._held, self._from = self._bucket.read_now(self._path, start, ahead), start
        return self._held[start - self._from : start - self._from + length]

    def close(self) -> None:
        self._held = b""


class _OpenPart:
    """A part open for reading, with the segment read last: whoever reads on in small steps opens it once."""

    def __init__(self, part: Part, file: _LocalFile | _RemoteFile, sealing: tuple[bytes, bytes]) -> None:
        self.part = part
        self._file = file
        try:
            self._opener = RangeOpener(*sealing, file.read(0, HEADER), file.size)
            if self._opener.plain_size != part.size:
                raise SealedError("sealed_truncated")
        except BaseException:
            file.close()
            raise
        self._index, self._segment = -1, b""

    def read(self, start: int, end: int) -> bytes:
        found = []
        while start < end:
            index = self._opener.sealed_range(start, start + 1)[0] // SEGMENT
            begins = self._opener.plain_start(index)
            if index != self._index:
                low, high = self._opener.sealed_range(start, start + 1)
                self._segment = self._opener.open_segment(index, self._file.read(low, high - low))
                self._index = index
            piece = self._segment[start - begins : end - begins]
            found.append(piece)
            start += len(piece)
        return b"".join(found)

    def close(self) -> None:
        self._file.close()
        self._segment = b""


def _why_not(error: Exception) -> str:
    """Whether the bytes are lost, or only not given: what is refused as damaged is destroyed."""
    lost = isinstance(error, SealedError | FileNotFoundError) or (
        isinstance(error, ObjectError) and error.code == "object_missing"
    )
    return "document_damaged" if lost else "document_unreadable"


def _remote_path(document: str, file: str) -> str:
    return f"documents/{document}/{file}"
