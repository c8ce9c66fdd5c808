"""Finished recordings as objects: `recordings/<recording>/g<generation>/<name>`, sealed files only.

An object is created once and never overwritten; a new generation is a new folder. Reading goes through
obstore, so that another store can stand behind it; publishing links files in, which needs the local one.
It must not see a key or a plaintext.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import shutil
from pathlib import Path

import obstore
from obstore.store import LocalStore

from media.recordstore.disk import DISK, Disk

_ID = re.compile(r"[A-Za-z0-9_-]{16,32}\Z")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}\Z")
_GENERATION = re.compile(r"g([1-9][0-9]{0,8})\Z")
SCRATCH = ".scratch"


class ObjectError(Exception):
    """`code`: object_name_invalid, object_exists or object_missing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StoredObject:
    """One object to read from. `size` in bytes."""

    def __init__(self, store: LocalStore, path: str, size: int) -> None:
        self._store = store
        self._path = path
        self.size = size

    async def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer at the end. Raises ObjectError object_missing."""
        end = min(start + length, self.size)
        if end <= start:
            return b""
        try:
            return bytes(await obstore.get_range_async(self._store, self._path, start=start, end=end))
        except FileNotFoundError as error:
            raise ObjectError("object_missing") from error

    def read_now(self, start: int, length: int) -> bytes:
        """The same, blocking: for a thread."""
        end = min(start + length, self.size)
        if end <= start:
            return b""
        try:
            return bytes(obstore.get_range(self._store, self._path, start=start, end=end))
        except FileNotFoundError as error:
            raise ObjectError("object_missing") from error


class Objects:
    """The objects of one data directory."""

    def __init__(self, root: Path, disk: Disk = DISK) -> None:
        self._disk = disk
        self._root = root.absolute()
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = LocalStore(prefix=self._root)

    def scratch(self, recording: str) -> Path:
        """A new private directory beside the objects, for a finaliser to write sealed files into."""
        path = self._root / SCRATCH / f"{_recording(recording)}.{secrets.token_hex(8)}"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.mkdir(mode=0o700)
        return path

    def discard_scratch(self, path: Path | None = None) -> None:
        """Remove one scratch directory, or (at start) what a killed server left."""
        shutil.rmtree(self._root / SCRATCH if path is None else path, ignore_errors=True)

    async def publish(self, recording: str, generation: int, source: Path) -> list[str]:
        """Move every file of `source` in as one generation, the manifest last; returns their names.

        Raises ObjectError object_exists when the generation has such an object already.
        """
        return await asyncio.to_thread(self._publish, recording, generation, source)

    def _publish(self, recording: str, generation: int, source: Path) -> list[str]:
        folder = self._root / _folder(recording, generation)
        names = sorted(
            (path.name for path in source.iterdir()), key=lambda name: (name == "manifest.json", name)
        )
        for name in names:
            _name(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            self._disk.sync_path(source / name)
            try:
                self._disk.link(source / name, folder / name)
            except FileExistsError:
                raise ObjectError("object_exists") from None
        for level in (folder, folder.parent, folder.parent.parent, self._root):
            self._disk.sync_directory(level)
        self.discard_scratch(source)
        return names

    async def open(self, recording: str, generation: int, name: str) -> StoredObject:
        """An object to read. Raises ObjectError object_missing, object_name_invalid."""
        path = f"{_folder(recording, generation)}/{_name(name)}"
        try:
            found = await obstore.head_async(self._store, path)
        except FileNotFoundError as error:
            raise ObjectError("object_missing") from error
        return StoredObject(self._store, path, int(found["size"]))

    def generations(self, recording: str) -> list[int]:
        """Numbers of all generations that have a folder, ascending, committed or not."""
        folder = self._root / "recordings" / _recording(recording)
        if not folder.is_dir():
            return []
        matches = (_GENERATION.match(path.name) for path in folder.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def names(self, recording: str, generation: int) -> list[str]:
        """The objects of a generation, sorted."""
        folder = self._root / _folder(recording, generation)
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    async def remove_generation(self, recording: str, generation: int) -> None:
        """Remove a generation. A reader that has an object open gets object_missing at its next read."""
        for name in await asyncio.to_thread(self.names, recording, generation):
            with contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, f"{_folder(recording, generation)}/{name}")
        with contextlib.suppress(OSError):
            (self._root / _folder(recording, generation)).rmdir()


def _recording(text: str) -> str:
    if not _ID.match(text):
        raise ObjectError("object_name_invalid")
    return text


def _name(text: str) -> str:
    if not _NAME.match(text):
        raise ObjectError("object_name_invalid")
    return text


def _folder(recording: str, generation: int) -> str:
    if generation < 1:
        raise ObjectError("object_name_invalid")
    return f"recordings/{_recording(recording)}/g{generation}"
