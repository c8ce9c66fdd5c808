"""Finished generations on their way to a remote store: a folder each, kept until they are committed.

A parcel's folder appears whole (one rename) and goes when its generation is in the books, so that a killed
server sends on what it had begun to send. The claim, put create-if-absent before anything else, makes one
parcel the only writer of its generation: what a crash or another server left is never written over.
It must not open what it sends.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from media.recordstore.disk import DISK, Disk
from server.runtime.bucket import Bucket, ObjectError

CLAIM = ".claim"
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}\Z")
_PARCEL = re.compile(r"([A-Za-z0-9_-]{16,32})\.g([1-9][0-9]{0,8})\.e([0-9]{1,9})\Z")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One generation, made of the recording's first `epochs` epochs."""

    path: Path
    recording: str
    generation: int
    epochs: int

    @property
    def folder(self) -> str:
        """Where it goes."""
        return f"recordings/{self.recording}/g{self.generation}"

    def names(self) -> list[str]:
        """Its objects, the manifest last: whoever sees one may count on the others."""
        return in_order(self.path)


class Outbox:
    """The parcels of one data directory, bound for one remote bucket."""

    def __init__(self, root: Path, bucket: Bucket, disk: Disk = DISK) -> None:
        self._root = root
        self._disk = disk
        self._bucket = bucket

    def keep(self, recording: str, generation: int, epochs: int, source: Path) -> Parcel:
        """Take a finaliser's folder over, durably. Blocking."""
        in_order(source)
        self._disk.make_directory(self._root)
        claim = self._disk.create(source / CLAIM)
        try:
            claim.write(secrets.token_hex(16).encode())
        finally:
            claim.close()
        for path in source.iterdir():
            self._disk.sync_path(path)
        self._disk.sync_directory(source)
        target = self._root / f"{recording}.g{generation}.e{epochs}"
        self._disk.rename(source, target)
        self._disk.sync_directory(self._root)
        return Parcel(target, recording, generation, epochs)

    def parcels(self, recording: str) -> list[Parcel]:
        """What waits of a recording, the newest generation last. Blocking."""
        if not self._root.is_dir():
            return []
        matches = ((path, _PARCEL.match(path.name)) for path in self._root.iterdir())
        found = [Parcel(path, m[1], int(m[2]), int(m[3])) for path, m in matches if m and m[1] == recording]
        return sorted(found, key=lambda parcel: parcel.generation)

    async def send(self, parcel: Parcel) -> None:
        """Put what is not there yet. Raises ObjectError: object_exists when the generation is another's."""
        claim = await asyncio.to_thread((parcel.path / CLAIM).read_bytes)
        await self._put(f"{parcel.folder}/{CLAIM}", claim)
        for name in await asyncio.to_thread(parcel.names):
            await self._put(f"{parcel.folder}/{name}", parcel.path / name)

    async def _put(self, path: str, content: Path | bytes) -> None:
        """Put, or find that it was put before: then the store must hold these very bytes' number."""
        try:
            await self._bucket.put_new(path, content)
        except ObjectError as error:
            if error.code != "object_exists" or not await self._is_ours(path, content):
                raise

    async def _is_ours(self, path: str, content: Path | bytes) -> bool:
        if isinstance(content, bytes):
            return content == await self._bucket.read(path, 0, len(content))
        # Under our claim nobody else writes; what the bytes are is seen when the generation is read back.
        return await self._bucket.size(path) == (await asyncio.to_thread(content.stat)).st_size

    def drop(self, parcel: Parcel) -> None:
        """Forget a parcel: it is in the books, or will never be. Blocking."""
        shutil.rmtree(parcel.path, ignore_errors=True)


def in_order(source: Path) -> list[str]:
    """A generation's objects, the manifest last. Raises ObjectError object_name_invalid."""
    names = [path.name for path in source.iterdir() if path.name != CLAIM]
    if not all(NAME.match(name) for name in names):
        raise ObjectError("object_name_invalid")
    return sorted(names, key=lambda name: (name == "manifest.json", name))
