"""Verifies a recording against every witness there is: its journal, the heads in the database, the signed
manifest, the published tracks, the key store.

The answer is an interface (docs/recording.md, "Verify"). It reads only, and may run beside the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from media.recordstore import layout
from media.recordstore.books import Books
from media.recordstore.faults import GRAVE, NOTE, TAMPERED, AcknowledgedHead, Row, row
from media.recordstore.manifest import UNSIGNED
from media.recordstore.spacing import key_spacing
from media.recordstore.verify import verify_journal, verify_manifest_body
from server.config import Settings
from server.runtime.copies import Copies, check_copies
from server.runtime.finalising import witnessed_chain
from server.runtime.keycheck import KeyCheck, check_keys, lacking
from server.runtime.keystore import ROOM, KeyStoreError
from server.runtime.object_stores import objects_of
from server.runtime.objects import ObjectError, Objects
from server.runtime.published import Check, Published, leftovers
from server.runtime.segment_copier import ABANDONED_S
from server.storage.journals import Journals
from server.storage.recordings import EXPIRED, RecordingRow, Recordings, StoredHead

WHOLE = ("intact", "empty", "destroyed")
FIELDS = ("recording", "chain", "stored", "gaps", "tracks", "faults", "generations", "checked")


@dataclass(slots=True)
class Verifier:
    """Verifies recordings of one data directory. `cleaned`: whose journal went as the policy says."""

    settings: Settings
    rows: Recordings
    cleaned: frozenset[str] = frozenset()
    journals: Journals | None = None  # with them the journal's copies are looked at
    deep: bool = False  # whether copies are downloaded
    objects: Objects = field(init=False)

    def __post_init__(self) -> None:
        self.objects = objects_of(self.settings)

    async def report(self, of: RecordingRow) -> dict[str, Any]:
        """The fields of `FIELDS`; times in ms since the session's start."""
        if of.state == EXPIRED:
            return _destroyed(of.id)
        heads = await self.rows.heads(of.id)  # before the journal: it may be growing
        keys = await asyncio.to_thread(self._keys, of.id)
        current = await self.rows.get(of.id) or of
        published = await self._published(current, keys)
        signed = published.manifest if published else None
        told_of = await self.rows.witnessed(of.id)
        growing = await asyncio.to_thread(self._growing, of)
        books = Books(told_of.begun, told_of.present_until_ms, growing)
        journal = await asyncio.to_thread(self._journal, of, witnesses_of(heads, signed), keys, books)
        report = journal
        if journal["chain"] == "missing":
            report = self._without_journal(journal, published, heads, keys.destroyed)
        faults = keys.faults + (_settled(current, journal["faults"]) if growing else journal["faults"])
        faults += lacking(keys, of.id, _seats(journal, signed))
        if published is not None:
            faults += published.faults + self._against_books(current, published)
        generations, notes = await self._generations(current, published)
        faults += notes
        copies = await self._copies(of.id)
        faults += copies.faults if copies else []
        report["chain"] = _chain(report["chain"], faults)
        report["gaps"] = [*report["gaps"], *await self.rows.withdrawn(of.id)]
        checked = {
            "journal": journal["chain"] != "missing",
            "keys": sorted(keys.keys),
            "keyless": [seat for seat in journal.get("keyless", []) if seat not in keys.keys],
            "manifest": signed is not None,
            "tracks": published.read_back if published else 0,
            "copies": None if copies is None else {"segments": copies.segments, "read": copies.read},
        }
        told = report | {"faults": faults, "generations": generations, "checked": checked}
        return {name: told[name] for name in FIELDS}

    def _keys(self, recording: str) -> KeyCheck:
        with contextlib.suppress(KeyStoreError):
            return check_keys(self.settings.data_dir, recording)
        return KeyCheck()

    def _growing(self, of: RecordingRow) -> bool:
        """Whether somebody may be writing to it: its newest epoch gets a seal each second."""
        if of.ended_ms is not None or of.emptied_ms is not None or of.epochs_finalised >= of.epoch:
            return False
        newest = layout.epoch_directory(self.settings.journal_dir, of.id, of.epoch)
        touched = [path.stat().st_mtime for path in (newest, *newest.glob("*.seg")) if path.exists()]
        return max(touched, default=0.0) > time.time() - ABANDONED_S

    def _journal(
        self, of: RecordingRow, heads: Sequence[AcknowledgedHead], keys: KeyCheck, books: Books
    ) -> dict[str, Any]:
        seat_keys = dict(keys.keys)
        room_key = seat_keys.pop(ROOM, None)
        # What a cleaner that was killed has left of a journal is no journal any more.
        root = self.settings.journal_dir / (".cleaned" if of.id in self.cleaned else "")
        return verify_journal(root, of.id, seat_keys, room_key, heads, of.started_ms, books)

    async def _copies(self, recording: str) -> Copies | None:
        """None without an object store, and of a journal that went as the policy says."""
        bucket = self.objects.remote
        if bucket is None or self.journals is None or recording in self.cleaned:
            return None
        noted = await self.journals.copies(recording)
        return await check_copies(bucket, self.settings.journal_dir, recording, noted, self.deep)

    async def _published(self, of: RecordingRow, keys: KeyCheck) -> Published | None:
        if not of.generation:
            return None
        return await Check(self.objects, keys, of.id, of.generation).run()

    @staticmethod
    def _without_journal(
        journal: dict[str, Any],
        published: Published | None,
        heads: Sequence[StoredHead],
        destroyed: Collection[str],
    ) -> dict[str, Any]:
        """The signed manifest is the account; without one, there is none. What was destroyed is no track."""
        if published is None or published.manifest is None:
            return journal if published or heads else journal | {"chain": "empty"}
        signed = published.manifest
        told = verify_manifest_body(signed)
        tracks: list[dict[str, Any]] = signed["tracks"]
        if published.index is not None:
            tracks = [_spaced(track) for track in published.index["tracks"]]
        told["tracks"] = [track for track in tracks if track.get("peer") not in destroyed]
        told["chain"] = witnessed_chain(str(signed["chain"]), signed, heads)
        return told

    @staticmethod
    def _against_books(of: RecordingRow, published: Published) -> list[Row]:
        """The database keeps its own copy of the index; they must agree on the tracks."""
        if published.index is None or of.index is None:
            return []
        if _hashes(of.index) == _hashes(published.index):
            return []
        return [row("database", "index", "index_differs", TAMPERED)]

    async def _generations(
        self, of: RecordingRow, published: Published | None
    ) -> tuple[list[dict[str, object]], list[Row]]:
        told = [published.told("committed")] if published else []
        rows: list[Row] = []
        with contextlib.suppress(ObjectError):
            for number, note in await asyncio.to_thread(leftovers, self.objects, of.id, of.generation):
                told.append(Published(number).told(str(note["name"]).removeprefix("generation_")))
                rows.append(note)
        return told, rows


def _destroyed(recording: str) -> dict[str, Any]:
    """Nothing is left to be verified: the receipt is the account (`hyeopjin receipts verify`)."""
    checked = {"journal": False, "keys": [], "keyless": [], "manifest": False, "tracks": 0, "copies": None}
    return {"recording": recording, "chain": "destroyed", "stored": [], "gaps": [], "tracks": []} | {
        "faults": [],
        "generations": [],
        "checked": checked,
    }


def summary(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many recordings there are of each chain state, and how many faults of each name."""
    chains: dict[str, int] = {}
    names: dict[str, int] = {}
    for report in reports:
        chains[report["chain"]] = chains.get(report["chain"], 0) + 1
        for fault in report["faults"]:
            if fault["verdict"] != NOTE:
                names[fault["name"]] = names.get(fault["name"], 0) + 1
    whole = sum(count for chain, count in chains.items() if chain in WHOLE)
    return {"recordings": len(reports), "whole": whole, "chains": chains, "faults": names}


def witnesses_of(heads: Sequence[StoredHead], signed: Mapping[str, Any] | None) -> list[AcknowledgedHead]:
    """The heads that the database and the signed manifest hold."""
    known = [AcknowledgedHead(head.epoch, head.segment, head.seal_index, head.hash) for head in heads]
    for segment in (signed or {}).get("segments", []):
        head = segment["head"]
        if head["hash"]:
            known.append(AcknowledgedHead(segment["epoch"], segment["file"], head["index"], head["hash"]))
    return known


def _settled(of: RecordingRow, faults: list[Row]) -> list[Row]:
    """A file that is being written has no end mark yet."""
    live = f"journal/{of.id}/{of.epoch}/"
    growing = ("missing_end", "truncated")
    return [
        fault
        for fault in faults
        if not (fault["name"] in growing and fault["verdict"] == "crash" and fault["where"].startswith(live))
    ]


def _seats(journal: Mapping[str, Any], signed: Mapping[str, Any] | None) -> list[str]:
    segments = journal.get("segments") or (signed or {}).get("segments", [])
    seats = {str(segment["seat"]) for segment in segments if segment["seat"]}
    return sorted(seats | {str(track["peer"]) for track in (signed or {}).get("tracks", [])})


def _chain(chain: str, faults: Sequence[Row]) -> str:
    """The journal's state, worsened by what else is not as it was."""
    grave = any(fault["verdict"] in GRAVE for fault in faults)
    return "broken" if grave and chain in WHOLE else chain


def _spaced(track: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in track.items() if name not in UNSIGNED}
    if not str(track.get("mime", "")).startswith("video"):
        return told
    return told | {"keys": key_spacing(track.get("key_frames_ms") or [], track["present"])}


def _hashes(index: Mapping[str, Any]) -> list[tuple[object, object]]:
    return sorted((str(track.get("id")), str(track.get("sha256"))) for track in index.get("tracks", []))
