"""The disk: the only place where a journal and finished files touch the file system for writing.

One class with the real implementation. Whoever writes is given a Disk; a test gives one whose operations
fail, wait or kill the process (tests/support/faulty_disk.py). It must not retry, hide an OSError, or know
what is written. Blocking: for the store's writer thread and the finaliser, never for the loop.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Space:
    """A file system's size and what an ordinary user may still write, in bytes."""

    total: int
    free: int


class DiskFile:
    """A new file open for writing. Each method raises OSError as the system gave it."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    def write(self, data: bytes) -> None:
        """Append all of it; after an error a part of it may be there."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def write_at(self, data: bytes, offset: int) -> None:
        """Write all of it from `offset`."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self._fd, view, offset)
            view, offset = view[written:], offset + written

    def datasync(self) -> None:
        """fdatasync: the bytes and the size are on the disk when it returns."""
        os.fdatasync(self._fd)

    def sync(self) -> None:
        """fsync."""
        os.fsync(self._fd)

    def close(self) -> None:
        """Close it, once."""
        os.close(self._fd)


class Disk:
    """The real file system. Every method raises OSError."""

    def create(self, path: Path, *, append: bool = False) -> DiskFile:
        """A file that was not there, mode 0600. Raises FileExistsError."""
        return DiskFile(path, os.open(path, _NEW | (os.O_APPEND if append else 0), 0o600))

    def allocate(self, path: Path, size: int) -> None:
        """A new file whose `size` bytes are already the file system's to give back. Leaves none on error."""
        fd = os.open(path, _NEW, 0o600)
        try:
            os.posix_fallocate(fd, 0, size)
            os.fsync(fd)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)

    def make_directory(self, path: Path, *, parents: bool = False) -> None:
        """Mode 0700; one that is there already will do."""
        path.mkdir(mode=0o700, parents=parents, exist_ok=True)

    def make_directories(self, directory: Path, root: Path) -> None:
        """Make `directory` below `root`, each new name synced into its parent."""
        missing: list[Path] = []
        at = directory
        while not at.is_dir():
            missing.append(at)
            if at == root:
                break
            at = at.parent
        for path in reversed(missing):
            self.make_directory(path, parents=path == root)
            self.sync_directory(path.parent)

    def sync_directory(self, directory: Path) -> None:
        """fsync of a directory, so that a new name in it survives a power cut."""
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def sync_path(self, path: Path) -> None:
        """fsync of a file that somebody else has written."""
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Atomic; replaces a target."""
        os.rename(source, target)

    def link(self, source: Path, target: Path) -> None:
        """A second name for a file. Raises FileExistsError."""
        os.link(source, target, follow_symlinks=False)

    def remove(self, path: Path) -> None:
        """Remove a file; one that is not there is no error."""
        path.unlink(missing_ok=True)

    def space(self, directory: Path) -> Space:
        """What the file system under `directory` holds."""
        found = os.statvfs(directory)
        return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


DISK = Disk()
"""The machine's own; without state."""
