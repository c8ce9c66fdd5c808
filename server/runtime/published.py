"""Reads the published generations of a recording back, to the last byte, and names what is wrong.

Unlike playback it goes on after a fault, a piece of a track in memory at a time. It must not change anything.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from media.recordstore import manifest as manifests
from media.recordstore import sealed
from media.recordstore.faults import CUT, NOTE, TAMPERED, UNREADABLE, Row, row
from media.recordstore.layout import LayoutError
from server.runtime.generation import INDEX, MANIFEST
from server.runtime.keycheck import KeyCheck
from server.runtime.keystore import ROOM
from server.runtime.objects import ObjectError, Objects, StoredObject
from server.runtime.outbox import CLAIM

_MAX_SMALL = 64 * 1024 * 1024


@dataclass(slots=True)
class Published:
    """A generation as found: `manifest` if its signature holds, `index` if it opens and is the signed one."""

    number: int
    manifest: dict[str, Any] | None = None
    index: dict[str, Any] | None = None
    read_back: int = 0
    faults: list[Row] = field(default_factory=list)

    def told(self, state: str) -> dict[str, object]:
        """One row of the answer's `generations`."""
        tracks = len(self.manifest["tracks"]) if self.manifest else None
        signed = self.manifest is not None
        return {
            "generation": self.number, "state": state, "signed": signed, "indexed": self.index is not None,
            "tracks": tracks, "read_back": self.read_back,
        }  # fmt: skip


class Check:
    """One run over one generation."""

    def __init__(self, objects: Objects, keys: KeyCheck, recording: str, number: int) -> None:
        self._objects = objects
        self._keys = keys
        self._recording = recording
        self._number = number
        self._found = Published(number)

    async def run(self) -> Published:
        """Manifest, index, every track, and what lies beside them."""
        found = self._found
        await self._manifest()
        signed = found.manifest
        if signed is None:
            return found
        await self._index(signed)
        for track in signed["tracks"]:
            await self._track(track)
        expected = {MANIFEST, INDEX, CLAIM, *(f"{track['id']}.webm.sealed" for track in signed["tracks"])}
        for name in await asyncio.to_thread(self._objects.names, self._recording, self._number):
            if name not in expected:
                self._fault(name, "object", "object_unexpected", TAMPERED)
        return found

    def _fault(self, name: str, what: str, code: str, verdict: str, offset: int | None = None) -> None:
        where = f"objects/recordings/{self._recording}/g{self._number}/{name}"
        self._found.faults.append(row(where, what, code, verdict, offset=offset))

    async def _open(self, name: str) -> StoredObject | None:
        try:
            return await self._objects.open(self._recording, self._number, name)
        except ObjectError as error:
            self._fault(name, "object", error.code, CUT if error.code == "object_missing" else UNREADABLE)
            return None

    async def _manifest(self) -> None:
        stored = await self._open(MANIFEST)
        if stored is None:
            return
        if self._keys.verify_key is None:
            self._fault(MANIFEST, "signing_key", "manifest_unsigned", UNREADABLE)
            return
        envelope = await stored.read(0, min(stored.size, _MAX_SMALL))
        signed, wrong = manifests.inspect(envelope, self._keys.verify_key)
        for what, code in wrong:
            self._fault(MANIFEST, what, code, TAMPERED)
        if signed is None:
            return
        if signed.get("recording") != self._recording or signed.get("generation") != self._number:
            self._fault(MANIFEST, "manifest", "manifest_misplaced", TAMPERED)
            return
        self._found.manifest = signed

    async def _index(self, signed: Mapping[str, Any]) -> None:
        stored, key = await self._open(INDEX), self._keys.keys.get(ROOM)
        if stored is None or key is None:
            return  # a missing or unreadable key is a fault of the key store
        plain = bytearray()
        if await self._read(stored, INDEX, key, "index", None, plain.extend) is None:
            return
        if hashlib.sha256(plain).hexdigest() != signed["index_sha256"]:
            self._fault(INDEX, "index", "hash_differs", TAMPERED)
            return
        self._found.index = json.loads(bytes(plain))

    async def _track(self, track: Mapping[str, Any]) -> None:
        name, seat = f"{track['id']}.webm.sealed", str(track["peer"])
        if seat in self._keys.destroyed:
            # Destroyed on purpose, from a generation too damaged to be sealed anew without it.
            self._fault(name, "track", "withdrawn", NOTE)
            return
        stored, key = await self._open(name), self._keys.keys.get(seat)
        if stored is None or key is None:
            return
        digest = hashlib.sha256()
        if await self._read(stored, name, key, str(track["id"]), int(track["bytes"]), digest.update) is None:
            return
        if digest.hexdigest() != track["sha256"]:
            self._fault(name, "track", "hash_differs", TAMPERED)
            return
        self._found.read_back += 1

    async def _read(
        self, stored: StoredObject, name: str, seat_key: bytes, final_name: str, size: int | None, take: Any
    ) -> int | None:
        """A sealed object's plaintext into `take`, its length; None after a fault. `size` as was signed."""
        try:
            key, bound = sealed.final_key(seat_key, self._recording, self._number, final_name)
            header = await stored.read(0, sealed.HEADER)
            opener = sealed.RangeOpener(key, bound, header, stored.size)
        except (sealed.SealedError, LayoutError) as error:
            code = error.code
            self._fault(name, "header" if code == "sealed_damaged" else "end", code, TAMPERED)
            return None
        if size is not None and opener.plain_size != size:
            short = opener.plain_size < size
            self._fault(name, "end", "sealed_truncated" if short else "after_end", CUT if short else TAMPERED)
            return None
        failed: list[int] = []
        for index in range(opener.segments):
            at = index * sealed.SEGMENT
            try:
                take(opener.open_segment(index, await stored.read(at, sealed.SEGMENT)))
            except sealed.SealedError:
                failed.append(index)
            except (ObjectError, OSError) as error:
                self._fault(name, "object", getattr(error, "code", "unreadable"), UNREADABLE, at)
                return None
        if failed and len(failed) == opener.segments > 1:
            self._fault(name, "header", "sealed_damaged", TAMPERED, 0)
        else:
            for index in failed[:20]:
                what = f"segment {index}" if index else "header_or_segment 0"
                self._fault(name, what, "sealed_damaged", TAMPERED, index * sealed.SEGMENT)
        return None if failed else opener.plain_size


def leftovers(objects: Objects, recording: str, committed: int) -> list[tuple[int, Row]]:
    """Generations beside the committed one: an older that was not removed yet, a newer never committed."""
    rows: list[tuple[int, Row]] = []
    for number in objects.generations(recording):
        if number != committed:
            name = "generation_uncommitted" if number > committed else "generation_left"
            where = f"objects/recordings/{recording}/g{number}"
            rows.append((number, row(where, "generation", name, NOTE)))
    return rows
