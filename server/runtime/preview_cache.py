"""Pictures of documents' pages that were made before: sealed under the document's own key, and bounded.

`previews/<document>/<page>-<width>.sealed`, beside the documents. What was looked at longest ago goes when
there are too many, and a document's all go with it. It only ever saves work: whatever is wrong with what lies
here, it is made anew. It must not decide who sees a page, nor write where recordings need the room.
All of it blocks: for threads.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

from media.recordstore.disk import Disk
from media.recordstore.sealed import SealedError, SealedReader, final_key, seal_bytes

log = logging.getLogger("hyeopjin.runtime.documents")

ENDING: Final = ".sealed"
MADE_BY: Final = "preview-1"
"""Another name when decoders draw differently: what was made before is not found, and goes."""
SPARE: Final = 64 * 1024 * 1024


class PreviewCache:
    """`limit` bytes at most, and none while the disk has less than `floor` and a spare; a limit of 0: off."""

    def __init__(self, root: Path, disk: Disk, limit: int = 0, floor: int = 0) -> None:
        self.root = root
        self._disk = disk
        self._limit = limit
        self._floor = floor
        self._lock = threading.Lock()
        self._held: OrderedDict[str, int] | None = None  # path below the root → bytes, longest ago first
        self.hits = 0
        self.made = 0

    @property
    def held_bytes(self) -> int:
        """What lies here by what is known so far."""
        with self._lock:
            return sum((self._held or {}).values())

    def find(self, document: str, page: int, width: int, key: bytes) -> bytes | None:
        """A picture that was made before."""
        path = self._path(document, page, width)
        if self._limit == 0 or not path.exists():
            return None
        try:
            with SealedReader(path, *_sealing(key, document, page, width)) as reader:
                found = reader.read(0, reader.size)
        except (OSError, SealedError):
            self._drop(path)
            return None
        with self._lock:
            self._known().pop(self._name(path), None)
            self._known()[self._name(path)] = path_size(path)
            self.hits += 1
        return found

    def keep(self, document: str, page: int, width: int, key: bytes, picture: bytes) -> None:
        """Keep one for the next time, if there is room. Never raises."""
        path = self._path(document, page, width)
        self.made += 1
        if not 0 < len(picture) <= self._limit // 8:
            return
        try:
            if self._disk.space(self.root.parent).free < self._floor + SPARE + len(picture):
                return
            self._disk.make_directories(path.parent, self.root.parent)
            seal_bytes(path, *_sealing(key, document, page, width), picture, self._disk)
        except OSError as error:
            log.warning("a preview was not kept: errno %s", error.errno)
            return
        with self._lock:
            self._known()[self._name(path)] = path_size(path)
            self._trim()

    def forget(self, document: str) -> None:
        """All of a document. Never raises."""
        shutil.rmtree(self.root / document, ignore_errors=True)
        with self._lock:
            for name in [each for each in self._known() if each.startswith(f"{document}/")]:
                del self._known()[name]

    def holds(self, document: str) -> bool:
        """Whether something of it lies here."""
        return (self.root / document).exists()

    def _trim(self) -> None:
        held = self._known()
        total = sum(held.values())
        while total > self._limit and held:
            name, size = held.popitem(last=False)
            total -= size
            self._remove(self.root / name)

    def _known(self) -> OrderedDict[str, int]:
        """What lies here, found out once; what a killed server was writing is removed."""
        if self._held is None:
            self._held = OrderedDict()
            found = []
            for path in self.root.glob("*/*"):
                if path.suffix == ENDING:
                    found.append((path.stat().st_mtime, self._name(path), path_size(path)))
                else:
                    self._remove(path)
            self._held.update({name: size for _, name, size in sorted(found)})
        return self._held

    def _drop(self, path: Path) -> None:
        self._remove(path)
        with self._lock:
            self._known().pop(self._name(path), None)

    def _remove(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            self._disk.remove(path)
            path.parent.rmdir()

    def _path(self, document: str, page: int, width: int) -> Path:
        return self.root / document / f"{page}-{width}{ENDING}"

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.root))


def path_size(path: Path) -> int:
    """Bytes of a file; 0 when it is gone meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _sealing(key: bytes, document: str, page: int, width: int) -> tuple[bytes, bytes]:
    return final_key(key, document, page, f"{MADE_BY}-{width}")
