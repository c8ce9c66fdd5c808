"""Finished recordings as objects: `recordings/<recording>/g<generation>/<name>`, sealed files only.

An object is created once and never overwritten; a new generation is a new folder. They lie in the data
directory, or, where one is set up, in a remote bucket: then new ones go there by way of the outbox, and what
lies here from before is still read. It must not see a key or a plaintext.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from media.recordstore.disk import DISK, Disk
from server.runtime.bucket import AHEAD, Bucket, ObjectError
from server.runtime.outbox import NAME, Outbox, Parcel, in_order

_ID = re.compile(r"[A-Za-z0-9_-]{16,32}\Z")
_GENERATION = re.compile(r"g([1-9][0-9]{0,8})\Z")
SCRATCH = ".scratch"
OUTBOX = ".outbox"


class StoredObject:
    """One object to read from. `size` in bytes. A remote one is fetched somewhat ahead of its reader."""

    def __init__(self, bucket: Bucket, path: str, size: int) -> None:
        self._bucket = bucket
        self._path = path
        self._held = b""
        self._held_from = 0
        self.size = size

    async def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer at the end. Raises ObjectError object_missing."""
        end = min(start + length, self.size)
        if end <= start:
            return b""
        if not self._bucket.remote:
            return await self._bucket.read(self._path, start, end - start)
        if not self._held_from <= start or end > self._held_from + len(self._held):
            ahead = min(max(end - start, AHEAD), self.size - start)
            self._held, self._held_from = await self._bucket.read(self._path, start, ahead), start
        return self._held[start - self._held_from : end - self._held_from]

    def read_now(self, start: int, length: int) -> bytes:
        """The same, blocking: for a thread."""
        end = min(start + length, self.size)
        if end <= start:
            return b""
        return self._bucket.read_now(self._path, start, end - start)


class Objects:
    """The objects of one data directory, and of the remote bucket that it may have."""

    def __init__(self, root: Path, disk: Disk = DISK, remote: Bucket | None = None) -> None:
        self._disk = disk
        self._root = root.absolute()
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._local = Bucket.local(self._root)
        self._remote = remote
        self._outbox = None if remote is None else Outbox(self._root / OUTBOX, remote, disk)

    @property
    def remote(self) -> Bucket | None:
        """The object store, where one is set up."""
        return self._remote

    def free_bytes(self) -> int:
        """What may still be written here. Blocking. Raises OSError."""
        return self._disk.space(self._root).free

    def scratch(self, recording: str, generation: int = 1) -> Path:
        """The private directory beside the objects into which a finaliser writes sealed files of one
        generation.

        It holds what an attempt that was killed had finished. Those of other generations go.
        """
        path = self._root / SCRATCH / f"{_recording(recording)}.g{generation}"
        self.discard_scratch(recording, keep=path)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def discard_scratch(self, recording: str, keep: Path | None = None) -> None:
        """Remove a recording's scratch directories, but one."""
        for path in (self._root / SCRATCH).glob(f"{_recording(recording)}.*"):
            if path != keep:
                shutil.rmtree(path, ignore_errors=True)

    def sweep_scratch(self, unfinished: Collection[str] = ()) -> None:
        """At start: remove what a killed server left of recordings that nobody will go on with."""
        for path in (self._root / SCRATCH).glob("*"):
            recording, _, rest = path.name.partition(".")
            if recording not in unfinished or not _GENERATION.match(rest):
                shutil.rmtree(path, ignore_errors=True)

    async def publish(self, recording: str, generation: int, source: Path, epochs: int = 0) -> list[str]:
        """Move every file of `source` in as one generation, the manifest last; returns their names.

        Returns when the store has confirmed each. Raises ObjectError: object_exists when the generation has
        such an object already; store_unreachable, store_refused: then the generation `waits`.
        """
        if self._outbox is None:
            return await asyncio.to_thread(self._publish, recording, generation, source)
        _folder(recording, generation)
        parcel = await asyncio.to_thread(self._outbox.keep, recording, generation, epochs, source)
        await self._outbox.send(parcel)
        return parcel.names()

    def waiting(self, recording: str) -> list[Parcel]:
        """Generations that were to be published and are not in the books yet, the newest last. Blocking."""
        return [] if self._outbox is None else self._outbox.parcels(recording)

    async def resume(self, parcel: Parcel) -> None:
        """Publish on from where a crash or an unreachable store left it. Raises ObjectError."""
        if self._outbox is not None:
            await self._outbox.send(parcel)

    async def settle(self, parcel: Parcel) -> None:
        """The books have it, or never will: nothing of it need wait any more."""
        if self._outbox is not None:
            await asyncio.to_thread(self._outbox.drop, parcel)

    def _publish(self, recording: str, generation: int, source: Path) -> list[str]:
        folder = self._root / _folder(recording, generation)
        names = in_order(source)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        linked: list[Path] = []
        try:
            for name in names:
                self._disk.sync_path(source / name)
                self._disk.link(source / name, folder / name)
                linked.append(folder / name)
            for level in (folder, folder.parent, folder.parent.parent, self._root):
                self._disk.sync_directory(level)
        except OSError as error:
            # Half a generation is none, and would hold its space.
            for path in linked:
                with contextlib.suppress(OSError):
                    self._disk.remove(path)
            if isinstance(error, FileExistsError):
                raise ObjectError("object_exists") from None
            raise
        shutil.rmtree(source, ignore_errors=True)
        return names

    async def open(self, recording: str, generation: int, name: str) -> StoredObject:
        """An object to read. Raises ObjectError object_missing, object_name_invalid."""
        path = f"{_folder(recording, generation)}/{_name(name)}"
        for bucket in self._buckets:
            size = await bucket.size(path)
            if size is not None:
                return StoredObject(bucket, path, size)
        raise ObjectError("object_missing")

    def generations(self, recording: str) -> list[int]:
        """Numbers of all generations that have a folder, ascending, committed or not. Blocking."""
        names: set[str] = set()
        folder = self._root / "recordings" / _recording(recording)
        if folder.is_dir():
            names.update(path.name for path in folder.iterdir())
        if self._remote is not None:
            names.update(self._remote.folders(f"recordings/{recording}"))
        return sorted(int(match[1]) for name in names if (match := _GENERATION.match(name)))

    def names(self, recording: str, generation: int) -> list[str]:
        """The objects of a generation, sorted. Blocking."""
        path = _folder(recording, generation)
        names: set[str] = set()
        if (self._root / path).is_dir():
            names.update(each.name for each in (self._root / path).iterdir())
        if self._remote is not None:
            names.update(entry.path.rsplit("/", 1)[-1] for entry in self._remote.listing(path))
        return sorted(names)

    async def remove_tracks(self, recording: str, generation: int, seat: str) -> None:
        """Remove the tracks of one seat from a generation that stays."""
        for name in await asyncio.to_thread(self.names, recording, generation):
            if name.startswith(f"{seat}-"):
                for bucket in self._buckets:
                    await bucket.delete(f"{_folder(recording, generation)}/{name}")

    async def remove_waiting(self, recording: str, committed: int) -> None:
        """Drop what waits in the outbox: it is made anew, or was never to be. `committed` stays."""
        for parcel in await asyncio.to_thread(self.waiting, recording):
            if parcel.generation == committed:
                await self.settle(parcel)
            else:
                await self.remove_generation(recording, parcel.generation)

    async def remove_generation(self, recording: str, generation: int) -> None:
        """Remove a generation. A reader that has an object open gets object_missing at its next read."""
        path = _folder(recording, generation)
        for parcel in await asyncio.to_thread(self.waiting, recording):
            if parcel.generation == generation:
                await self.settle(parcel)
        # The claim goes last: until then nobody else begins a generation of this number.
        names = await asyncio.to_thread(self.names, recording, generation)
        for name in sorted(names, key=lambda name: name.startswith(".")):
            for bucket in self._buckets:
                await bucket.delete(f"{path}/{name}")
        with contextlib.suppress(OSError):
            (self._root / path).rmdir()

    @property
    def _buckets(self) -> tuple[Bucket, ...]:
        return (self._local,) if self._remote is None else (self._remote, self._local)


__all__ = ["ObjectError", "Objects", "StoredObject"]


def _recording(text: str) -> str:
    if not _ID.match(text):
        raise ObjectError("object_name_invalid")
    return text


def _name(text: str) -> str:
    if not NAME.match(text):
        raise ObjectError("object_name_invalid")
    return text


def _folder(recording: str, generation: int) -> str:
    if generation < 1:
        raise ObjectError("object_name_invalid")
    return f"recordings/{_recording(recording)}/g{generation}"
