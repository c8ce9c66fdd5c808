"""One published generation of a recording: its signed manifest, its index, ranges of its tracks.

Reads objects and opens them with keys of the key store; plaintext exists only in what a call returns.
It must not know people, permissions or HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from media.recordstore import manifest as manifests
from media.recordstore import sealed
from media.recordstore.layout import LayoutError
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.objects import ObjectError, Objects, StoredObject

CHUNK = sealed.SEGMENT
MANIFEST = "manifest.json"
INDEX = "index.json.sealed"
_MAX_SMALL = 64 * 1024 * 1024


class GenerationError(Exception):
    """What is stored is not what was finalised.

    `code`: object_missing, manifest_…, sealed_damaged, sealed_truncated, key_missing, key_unreadable,
    key_destroyed, index_malformed, track_unknown, hash_differs.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Track:
    """A finished track as the manifest signs it."""

    id: str
    seat: str
    kind: str
    mime: str
    sha256: str
    size: int
    duration_ms: int


class TrackReader:
    """Ranges of one track's plaintext. `size` is the plaintext's; `etag` a strong validator."""

    def __init__(self, stored: StoredObject, opener: sealed.RangeOpener, track: Track, etag: str) -> None:
        self._stored = stored
        self._opener = opener
        self.track = track
        self.etag = etag
        self.size = opener.plain_size

    @property
    def bytes_per_second(self) -> float:
        """The track's mean rate when played."""
        return self.size * 1000 / max(1, self.track.duration_ms)

    async def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Plaintext [start, end) in pieces of at most 64 KiB, each read and opened when it is asked for.

        Raises GenerationError as soon as a piece is not what was sealed.
        """
        while start < end:
            low, _ = self._opener.sealed_range(start, start + 1)
            first = sealed.FIRST if low == 0 else sealed.OTHER
            began = 0 if low == 0 else sealed.FIRST + (low // sealed.SEGMENT - 1) * sealed.OTHER
            stop = min(end, began + first)
            yield await self.read(start, stop)
            start = stop

    async def read(self, start: int, end: int) -> bytes:
        """Plaintext [start, end), both inside the track. Raises GenerationError."""
        try:
            low, high = self._opener.sealed_range(start, end)
            return self._opener.open(start, end, await self._stored.read(low, high - low))
        except (sealed.SealedError, ObjectError) as error:
            raise GenerationError(error.code) from error

    async def check_end(self) -> None:
        """Prove that the file's end is the true end (its last segment is sealed as the last)."""
        if self.size:
            await self.read(self.size - 1, self.size)


class Generation:
    """Open with `open`; holds the manifest and the index, no key."""

    def __init__(
        self, objects: Objects, keys: KeyStore, manifest: Mapping[str, Any], index: dict[str, Any]
    ) -> None:
        self._objects = objects
        self._keys = keys
        self.recording = str(manifest["recording"])
        self.number = int(manifest["generation"])
        self.manifest = manifest
        self.index = index
        self.tracks = {track.id: track for track in _tracks(manifest)}

    @classmethod
    async def open(cls, objects: Objects, keys: KeyStore, recording: str, number: int) -> Generation:
        """Read and verify manifest and index. Raises GenerationError."""
        try:
            stored = await objects.open(recording, number, MANIFEST)
            envelope = await stored.read(0, min(stored.size, _MAX_SMALL))
            manifest = manifests.verify(envelope, keys.verify_key)
            if manifest.get("recording") != recording or manifest.get("generation") != number:
                raise GenerationError("manifest_misplaced")
            key, associated = await _final_key(keys, recording, number, ROOM, "index")
            sealed_index = await objects.open(recording, number, INDEX)
            content = await sealed_index.read(0, min(sealed_index.size, _MAX_SMALL))
            opener = sealed.RangeOpener(key, associated, content[: sealed.HEADER], sealed_index.size)
            index = json.loads(opener.open(0, opener.plain_size, content))
            return cls(objects, keys, manifest, index)
        except (ObjectError, manifests.ManifestError, sealed.SealedError) as error:
            raise GenerationError(error.code) from error
        except (ValueError, KeyError, TypeError) as error:
            raise GenerationError("index_malformed") from error

    @property
    def duration_ms(self) -> int:
        """From the recording's start to the end of its last track, in ms."""
        ends = [int(t["offset_ms"]) + int(t["duration_ms"]) for t in self.index.get("tracks", [])]
        return max([int(self.index.get("duration_ms") or 0), *ends])

    async def sealed_track(self, track_id: str) -> tuple[StoredObject, bytes, bytes]:
        """A track's object as it lies there, its key and associated data. Raises GenerationError."""
        track = self.tracks.get(track_id)
        if track is None:
            raise GenerationError("track_unknown")
        key, associated = await _final_key(self._keys, self.recording, self.number, track.seat, track.id)
        try:
            stored = await self._objects.open(self.recording, self.number, f"{track.id}.webm.sealed")
        except ObjectError as error:
            raise GenerationError(error.code) from error
        return stored, key, associated

    async def track(self, track_id: str) -> TrackReader:
        """A track to read ranges of. Raises GenerationError (track_unknown, key_destroyed, …)."""
        stored, key, associated = await self.sealed_track(track_id)
        track = self.tracks[track_id]
        try:
            header = await stored.read(0, sealed.HEADER)
            opener = sealed.RangeOpener(key, associated, header, stored.size)
        except (ObjectError, sealed.SealedError) as error:
            raise GenerationError(error.code) from error
        return TrackReader(stored, opener, track, f'"g{self.number}-{track.sha256[:32]}"')

    async def verify(self, but_destroyed: bool = False) -> None:
        """Read every track back to its last byte and compare with the manifest. Raises GenerationError.

        `but_destroyed`: tracks whose key was shredded on purpose are no fault.
        """
        for track_id, track in self.tracks.items():
            try:
                reader = await self.track(track_id)
            except GenerationError as error:
                if but_destroyed and error.code == "key_destroyed":
                    continue
                raise
            await reader.check_end()
            digest = hashlib.sha256()
            async for chunk in reader.chunks(0, reader.size):
                digest.update(chunk)
            if digest.hexdigest() != track.sha256:
                raise GenerationError("hash_differs")


async def _final_key(
    keys: KeyStore, recording: str, number: int, seat: str, name: str
) -> tuple[bytes, bytes]:
    try:
        seat_key = await asyncio.to_thread(keys.existing_key, recording, seat)
    except KeyStoreError as error:
        raise GenerationError(error.code) from error
    if seat_key is None:
        raise GenerationError("key_missing")
    try:
        return sealed.final_key(seat_key, recording, number, name)
    except LayoutError as error:
        raise GenerationError("track_unknown") from error


def _tracks(manifest: Mapping[str, Any]) -> list[Track]:
    return [
        Track(
            id=str(row["id"]),
            seat=str(row["peer"]),
            kind=str(row["kind"]),
            mime=str(row["mime"]),
            sha256=str(row["sha256"]),
            size=int(row["bytes"]),
            duration_ms=int(row["duration_ms"]),
        )
        for row in manifest["tracks"]
    ]
