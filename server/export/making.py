"""Prepares a composition: opens the recording, gathers what it needs, gives the composer its job.

The job holds the keys of single files only, and goes down a pipe. Ciphertext is served to the composer by
range, so that it lies wherever objects lie.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media.recordstore.layout import canonical
from server.export import plan as plans
from server.export.bundle_files import bundle_files
from server.export.plan import Material, Order, Plan
from server.runtime.generation import MANIFEST, Generation, GenerationError
from server.runtime.keystore import KeyStore
from server.runtime.objects import ObjectError, Objects, StoredObject
from server.storage import cases, chat, destructions
from server.storage.database import Database
from server.storage.recordings import Recordings

ENDINGS = {"film": "mp4", "clip": "mp4", "still": "png", "bundle": "zip"}
TYPES = {"mp4": "video/mp4", "png": "image/png", "zip": "application/zip"}


class ExportError(Exception):
    """An export cannot be made. `code`: nothing_there, seat_gone, recording_gone, or a composer's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """The sealed file to be written."""

    path: Path
    key: bytes = field(repr=False)
    associated: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A composer's job and the objects it may ask for, by number."""

    job: dict[str, Any] = field(repr=False)
    stored: list[StoredObject]
    seats: list[str]

    def line(self, link: int) -> bytes:
        """What goes down the pipe."""
        return json.dumps({**self.job, "link": link}, separators=(",", ":")).encode() + b"\n"


class Making:
    """One per server or command."""

    def __init__(self, database: Database, rows: Recordings, keys: KeyStore, objects: Objects) -> None:
        self._database = database
        self._rows = rows
        self._keys = keys
        self._objects = objects

    async def case_of(self, recording: str) -> str | None:
        """Whose data it is."""
        row = await self._rows.get(recording)
        return None if row is None else row.case_id

    async def material(self, recording: str) -> Material | None:
        """What there is to be exported; None while the recording is not ready."""
        row = await self._rows.get(recording)
        if row is None or not row.generation or row.index is None:
            return None
        people = {seat.id: seat for seat in await self._rows.seats(recording)}
        async with self._database.read() as tx:
            case = await cases.by_id(tx, row.case_id)
            blocked = await destructions.blocked(tx, recording)
        if destructions.WHOLE in blocked:
            return None
        seats = {str(track["peer"]) for track in row.index.get("tracks", [])}
        return Material(
            index={**row.index, "recording": recording},
            people=people,
            gone={seat for seat in seats if seat in blocked or self._keys.destroyed(recording, seat)},
            case_label=row.case_label,
            synthetic=bool(case and case.patient.get("synthetic")),
            settled=row.state == "ready",
        )

    async def prepare(
        self, recording: str, order: Order, target: Target, now_ms: int, seats: Collection[str] | None = None
    ) -> Prepared:
        """`seats`: those that were asked for; None: all. Raises ExportError, GenerationError."""
        row, material = await self._rows.get(recording), await self.material(recording)
        if row is None or material is None:
            raise ExportError("recording_gone")
        if seats is not None:
            material = material.only(seats)
        generation = await Generation.open(self._objects, self._keys, recording, row.generation)
        plan = await self._plan(generation, material, order, now_ms)
        if plan is None:
            raise ExportError("nothing_there")
        rows = {str(track["id"]): track for track in material.index["tracks"]}
        stored, sources = [], []
        for track in plan.sources:
            lying, key, associated = await generation.sealed_track(track)
            stored.append(lying)
            sources.append(_source(lying, key, associated, rows[track]))
        plan.job["sources"] = sources
        plan.job["output"] = {
            "path": str(target.path),
            "key": _base64(target.key),
            "associated": target.associated.decode("ascii"),
        }
        return Prepared(plan.job, stored, material.contained(order))

    async def _plan(
        self, generation: Generation, material: Material, order: Order, now_ms: int
    ) -> Plan | None:
        if order.kind == "still":
            return plans.still(material, order)
        if order.kind != "bundle":
            return await asyncio.to_thread(plans.film, material, order)
        stored = await self._objects.open(generation.recording, generation.number, MANIFEST)
        envelope = await stored.read(0, stored.size)
        async with self._database.read() as tx:
            said = await chat.of_session(tx, generation.recording)
        files = bundle_files(material, generation.number, self._keys.verify_key, now_ms, said)
        files |= {"manifest.json": envelope, "index.json": canonical(generation.index)}
        plan = Plan({"kind": "bundle", "files": {name: _base64(data) for name, data in files.items()}})
        plan.job["tracks"] = {f"tracks/{track['id']}.webm": plan.source(track) for track in material.tracks()}
        plan.job["signing_key"] = _base64(self._keys.signing_key)
        return plan


def _source(
    stored: StoredObject, key: bytes, associated: bytes, track: Mapping[str, Any]
) -> Mapping[str, object]:
    return {
        "size": stored.size,
        "key": _base64(key),
        "associated": associated.decode("ascii"),
        "offset_ms": int(track["offset_ms"]),
        "rotations": track.get("rotations", []),
    }


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


__all__ = [
    "ENDINGS",
    "TYPES",
    "ExportError",
    "GenerationError",
    "Making",
    "ObjectError",
    "Prepared",
    "Target",
]
