"""A disk that loses power as real ones do: bytes that were not synced are there or not, sector by sector.

tests/support/faulty_disk.py cuts a file at what was synced; here, beyond it, each sector (512 bytes) or page
(4 KiB) has reached the disk or not on its own, in any order, the size may have been written without the
bytes, and a name whose directory was not synced may be gone. `lose` must be a process's last act with it.
"""

from __future__ import annotations

import os
import random
import shutil
import threading
from pathlib import Path

from media.recordstore.disk import Disk, DiskFile

SECTOR, PAGE = 512, 4096


class _File(DiskFile):
    def __init__(self, real: DiskFile, disk: PowerDisk) -> None:
        super().__init__(real.path, real._fd)
        self._disk = disk

    def write(self, data: bytes) -> None:
        with self._disk.lock:
            super().write(data)

    def datasync(self) -> None:
        with self._disk.lock:
            size = os.fstat(self._fd).st_size
        super().datasync()
        with self._disk.lock:
            self._disk.synced[self.path] = size


class PowerDisk(Disk):
    """`block`: what the disk writes at once. The lock keeps a loss out of the middle of a write."""

    def __init__(self, block: int) -> None:
        self._block = block
        self.lock = threading.Lock()
        self.synced: dict[Path, int] = {}
        self._fresh: dict[Path, None] = {}

    def create(self, path: Path, *, append: bool = False) -> DiskFile:
        with self.lock:
            made = _File(super().create(path, append=append), self)
            self.synced[path] = 0
            self._fresh[path] = None
        return made

    def make_directory(self, path: Path, *, parents: bool = False) -> None:
        with self.lock:
            if not path.exists():
                self._fresh[path] = None
            super().make_directory(path, parents=parents)

    def sync_directory(self, directory: Path) -> None:
        super().sync_directory(directory)
        with self.lock:
            self._fresh = {path: None for path in self._fresh if path.parent != directory}

    def lose(self, chance: random.Random) -> int:
        """The power goes; returns how many bytes were not synced. The lock is never given back."""
        self.lock.acquire()
        unsynced = 0
        for path, synced in self.synced.items():
            size = path.stat().st_size
            unsynced += size - synced
            if size > synced:
                self._tear(path, synced, size, chance)
        for path in self._fresh:
            if chance.random() < 0.5:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return unsynced

    def _tear(self, path: Path, synced: int, size: int, chance: random.Random) -> None:
        end = chance.choice((synced, size, chance.randrange(synced, size + 1)))
        os.truncate(path, end)
        with path.open("r+b") as file:
            at = synced
            while at < end:
                stop = min(end, (at // self._block + 1) * self._block)
                if chance.random() < 0.5:
                    file.seek(at)
                    file.write(bytes(stop - at))
                at = stop
