"""A new generation of a recording without the tracks of seats whose key is gone.

The other tracks are sealed anew under the new generation's keys, byte for byte the same plaintext; the
index and the signed manifest say which lanes were withdrawn, and until when they reached. It needs no journal
and no key of the seat that went; nothing of media is decoded. Raises GenerationError when the old generation
is not whole.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.recordstore import manifest as manifests
from media.recordstore import sealed
from media.recordstore.layout import canonical
from server.runtime.generation import INDEX, MANIFEST, Generation, GenerationError
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.objects import ObjectError, Objects

WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Lane:
    """A track that is no more: whose, of what kind, from when to when (ms since the session's start)."""

    id: str
    peer: str
    kind: str
    from_ms: int
    to_ms: int

    @classmethod
    def of(cls, gap: Mapping[str, Any]) -> Lane:
        """The lane that `as_gap` described."""
        return cls(gap["id"], gap["peer"], gap["kind"], gap["from"], gap["to"])

    def as_gap(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "peer": self.peer,
            "kind": self.kind,
            "from": self.from_ms,
            "to": self.to_ms,
            "cause": WITHDRAWN,
        }


def lanes_of(index: Mapping[str, Any], seat: str) -> list[Lane]:
    """The lanes a seat has in an index."""
    lanes = []
    for track in index.get("tracks", []):
        if track.get("peer") != seat:
            continue
        spans = track.get("present") or []
        begin = int(spans[0][0]) if spans else int(track.get("offset_ms", 0))
        end = int(spans[-1][1]) if spans else begin + int(track.get("duration_ms", 0))
        lanes.append(Lane(str(track["id"]), seat, str(track["kind"]), max(0, begin), end))
    return lanes


async def strip(
    objects: Objects, keys: KeyStore, recording: str, old_number: int, lanes: Sequence[Lane]
) -> Generation:
    """Publish and verify the next generation; the caller commits it and removes the others.

    Raises ObjectError too: the store is away, and nothing of this is left in it.
    """
    old = await Generation.open(objects, keys, recording, old_number)
    number = max([old_number, *await asyncio.to_thread(objects.generations, recording)]) + 1
    await asyncio.to_thread(objects.discard_scratch, recording)
    scratch = await asyncio.to_thread(objects.scratch, recording, number)
    try:
        kept = [track for track in old.tracks.values() if not keys.destroyed(recording, track.seat)]
        for track in kept:
            await _seal_again(old, keys, track.id, track.seat, number, scratch)
        gone = {track.id for track in old.tracks.values()} - {track.id for track in kept}
        await asyncio.to_thread(_describe, old, keys, number, scratch, gone, lanes)
        await objects.publish(recording, number, scratch)
    except ObjectError:
        await objects.remove_waiting(recording, old_number)
        raise
    finally:
        await asyncio.to_thread(objects.discard_scratch, recording)
    try:
        made = await Generation.open(objects, keys, recording, number)
        await made.verify()
    except GenerationError:
        await objects.remove_generation(recording, number)
        raise
    return made


async def _seal_again(
    old: Generation, keys: KeyStore, track: str, seat: str, number: int, scratch: Path
) -> None:
    reader = await old.track(track)
    key, associated = _key(keys, old.recording, seat, number, track)
    with sealed.SealedWriter(scratch / f"{track}.webm.sealed", key, associated) as writer:
        digest = hashlib.sha256()
        async for chunk in reader.chunks(0, reader.size):
            digest.update(chunk)
            await asyncio.to_thread(writer.write, chunk)
        if digest.hexdigest() != reader.track.sha256:
            raise GenerationError("hash_differs")
        await asyncio.to_thread(writer.commit)


def _describe(
    old: Generation, keys: KeyStore, number: int, scratch: Path, gone: set[str], lanes: Sequence[Lane]
) -> None:
    """The new index under the room's key, and the manifest that signs it."""
    before = [gap for gap in old.index.get(WITHDRAWN, []) if isinstance(gap, dict)]
    named = {gap.get("id") for gap in before}
    gaps = [*before, *(lane.as_gap() for lane in lanes if lane.id not in named)]
    left = [track for track in old.index.get("tracks", []) if track.get("id") not in gone]
    index = {**old.index, "generation": number, "tracks": left, WITHDRAWN: gaps}
    plain = canonical(index)
    key, associated = _key(keys, old.recording, ROOM, number, "index")
    sealed.seal_bytes(scratch / INDEX, key, associated, plain)
    signed = {
        **old.manifest,
        "generation": number,
        "tracks": [track for track in old.manifest["tracks"] if track.get("id") not in gone],
        "index_sha256": hashlib.sha256(plain).hexdigest(),
        WITHDRAWN: gaps,
    }
    (scratch / MANIFEST).write_bytes(manifests.sign(json.loads(canonical(signed)), keys.signing_key))


def _key(keys: KeyStore, recording: str, seat: str, number: int, name: str) -> tuple[bytes, bytes]:
    try:
        seat_key = keys.existing_key(recording, seat)
    except KeyStoreError as error:
        raise GenerationError(error.code) from error
    if seat_key is None:
        raise GenerationError("key_missing")
    return sealed.final_key(seat_key, recording, number, name)
