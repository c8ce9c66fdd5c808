"""What a reviewer sees of a recording: its index with people's names, its tracks, what was watched.

Use cases only: who may is asked before (`server.services.access`); HTTP is `server/web/recordings.py`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from server.domain.errors import Refused
from server.playback.lease import Asked
from server.runtime.generation import Generation, GenerationError, TrackReader
from server.runtime.keystore import ROOM, KeyStore
from server.runtime.objects import Objects
from server.runtime.stripping import lanes_of
from server.services.context import unix_ms
from server.services.follow_up import Withheld
from server.storage import audit, destructions, glossary
from server.storage.database import Database, Transaction
from server.storage.destructions import DONE, Destruction
from server.storage.glossary import Mark
from server.storage.prebrief import spans_of
from server.storage.recordings import EXPIRED, RecordedSeat, RecordingRow, Recordings

log = logging.getLogger("hyeopjin.playback")

MAX_OPEN = 32
MAX_SPANS = 500
MAX_REMEMBERED = 4096
_TRACK_FIELDS = ("id", "kind", "mime", "offset_ms", "duration_ms", "sync_error_ms", "across_error_ms")
_OPTIONAL_FIELDS = ("rid", "width", "height", "rotations")


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody opened a recording or (with `track`) one of its tracks, in a browser session."""

    action: str
    recording: str
    track: str
    account: str
    session: str
    address: str
    case_id: str


class Playback:
    """One per server."""

    def __init__(
        self,
        database: Database,
        rows: Recordings,
        keys: KeyStore,
        objects: Objects,
        now_ms: Callable[[], int] = unix_ms,
    ) -> None:
        self._database = database
        self._rows = rows
        self._keys = keys
        self._objects = objects
        self._now_ms = now_ms
        self.asked = Asked()  # shared by all running responses
        self._open: OrderedDict[tuple[str, int], Generation] = OrderedDict()
        self._told: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    async def describe(self, recording: str, kept_back: Withheld) -> dict[str, Any]:
        """The answer of GET /api/recordings/{id}. Raises Refused not_found. Times in ms since its start.

        `kept_back`: seats of which this reader is told that they were recorded, and no more.
        """
        row = await self._row(recording)
        people = await self._rows.seats(recording)
        index = row.index or {}
        shredded = await asyncio.to_thread(self._shredded, recording, index)
        async with self._database.read() as tx:
            gone = await destructions.of_recording(tx, recording)
            marks = await glossary.marks_of(tx, recording)
            prebrief = await spans_of(tx, recording, row.started_ms, row.duration_ms)
        whole = any(each.whole for each in gone)
        shredded |= {each.seat_id for each in gone}
        named = {seat.id: seat for seat in people}
        return {
            "id": row.id,
            "consultation_id": row.consultation_id,
            "case_id": row.case_id,
            "state": EXPIRED if whole else row.state,
            "waits_for": row.waits_for,
            "generation": row.generation,
            "started_at_ms": row.started_ms,
            "duration_ms": row.duration_ms,
            "chain": index.get("chain", "unknown"),
            "tracks": [
                _track(track, named)
                for track in index.get("tracks", [])
                if track.get("peer") not in {*shredded, *kept_back} and not whole
            ],
            "withdrawn": [] if whole else _withdrawn(gone, index, named),
            "withheld": [] if whole else _withheld(kept_back, shredded, index, named),
            "gaps": [_gap(gap, named) for gap in index.get("gaps", [])],
            "prebrief": [] if whole else prebrief,
            "terms": []
            if whole
            else [
                _shown(mark, row.started_ms, None if mark.seat_id in shredded else named) for mark in marks
            ],
            "declined": [
                {"participant": seat.id, "name": seat.name, "role": seat.role}
                for seat in people
                if seat.decision == "declined" and seat.id not in shredded
            ],
        }

    def _shredded(self, recording: str, index: dict[str, Any]) -> set[str]:
        """Seats whose key was destroyed: nothing of theirs can be played, so nothing is offered."""
        seats = {str(track.get("peer")) for track in index.get("tracks", [])}
        return {seat for seat in seats if self._keys.destroyed(recording, seat)}

    async def require_playable(self, recording: str, seat: str = destructions.WHOLE) -> None:
        """As `require_playable_in`."""
        async with self._database.read() as tx:
            await require_playable_in(tx, recording, seat)

    async def track(self, recording: str, track: str) -> TrackReader:
        """A track of the newest generation. Raises Refused not_found, withdrawn, destroyed."""
        await self.require_playable(recording, seat_of(track))
        seen = 0
        while (row := await self._row(recording)).generation > seen:
            seen = row.generation
            try:
                generation = await self._generation(recording, seen)
                return await generation.track(track)
            except GenerationError as error:
                if error.code == "object_missing":
                    continue  # a newer generation may just have taken its place
                if error.code == "key_destroyed":
                    raise Refused(await self._why_gone(recording)) from error
                if error.code != "track_unknown":
                    log.error("a track cannot be read: %s", error.code)
                raise Refused("not_found") from error
        raise Refused("not_found")

    async def _why_gone(self, recording: str) -> str:
        whole = await asyncio.to_thread(self._keys.destroyed, recording, ROOM)
        return "destroyed" if whole else "withdrawn"

    async def note_opened(self, opening: Opening) -> None:
        """An audit entry; the same track in the same browser session is written once, not per range."""
        if opening.track:
            key = (opening.session, opening.recording, opening.track)
            if key in self._told:
                return
            self._told[key] = None
            while len(self._told) > MAX_REMEMBERED:
                self._told.popitem(last=False)
        entry = audit.Entry(
            action=opening.action,
            subject_type="recording",
            subject_id=opening.recording,
            address=opening.address,
            account_id=opening.account,
            case_id=opening.case_id,
            detail={"track": opening.track} if opening.track else {},
        )
        async with self._database.write() as tx:
            await audit.append(tx, self._now_ms(), entry)

    async def note_watched(self, recording: str, account: str, spans: Sequence[tuple[int, int]]) -> None:
        """Note spans of the recording, in ms since its start, as watched. Raises Refused bad_request."""
        row = await self._row(recording)
        if any(not 0 <= start <= stop for start, stop in spans):
            raise Refused("bad_request")
        end = row.duration_ms or 0
        inside = [(start, min(stop, end)) for start, stop in spans if start < min(stop, end)]
        await self._rows.add_watched(recording, account, inside, self._now_ms())

    async def _row(self, recording: str) -> RecordingRow:
        row = await self._rows.get(recording)
        if row is None:
            raise Refused("not_found")
        return row

    async def _generation(self, recording: str, number: int) -> Generation:
        key = (recording, number)
        found = self._open.get(key)
        if found is None:
            found = await Generation.open(self._objects, self._keys, recording, number)
            self._open[key] = found
            while len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(key)
        return found


async def require_playable_in(tx: Transaction, recording: str, seat: str = destructions.WHOLE) -> None:
    """Not from the moment a destruction is asked for, of the seat or of the whole recording. Raises Refused
    `withdrawn` or `destroyed`.
    """
    blocked = await destructions.blocked(tx, recording)
    if destructions.WHOLE in blocked:
        raise Refused("destroyed")
    if seat in blocked:
        raise Refused("withdrawn")


def _track(track: dict[str, Any], named: dict[str, RecordedSeat]) -> dict[str, Any]:
    seat = named.get(str(track.get("peer")))
    told: dict[str, Any] = {name: track.get(name) for name in _TRACK_FIELDS}
    told["participant"] = track.get("peer")
    told |= {name: track[name] for name in _OPTIONAL_FIELDS if track.get(name)}
    told["present"] = track.get("present", [])
    told["gaps"] = [_gap(gap, named) for gap in track.get("gaps", [])]
    told["name"] = seat.name if seat else ""
    told["role"] = seat.role if seat else ""
    told["language"] = seat.language if seat else ""
    return told


def _withdrawn(
    gone: Sequence[Destruction], index: dict[str, Any], named: dict[str, RecordedSeat]
) -> list[dict[str, Any]]:
    """Lanes of people whose consent was withdrawn: whose, of what kind, from when to when; if destroyed."""
    told = []
    for each in gone:
        seat = named.get(each.seat_id)
        lanes = each.plan.get("lanes") or [lane.as_gap() for lane in lanes_of(index, each.seat_id)]
        # Destroyed before anything was finished: that somebody is missing is said all the same.
        lanes = lanes or [{"kind": "other", "from": 0, "to": index.get("duration_ms", 0)}]
        told += [lane | {"destroyed": each.state == DONE} for lane in _closed(lanes, each.seat_id, seat)]
    return told


def _withheld(
    kept_back: Withheld, shredded: set[str], index: dict[str, Any], named: dict[str, RecordedSeat]
) -> list[dict[str, Any]]:
    """Lanes that are there and not for this reader: whose, of what kind, from when to when; and why."""
    return [
        lane | {"code": code}
        for seat, code in sorted(kept_back.items())
        if seat not in shredded
        for lane in _closed([lane.as_gap() for lane in lanes_of(index, seat)], seat, named.get(seat))
    ]


def _closed(
    lanes: Sequence[dict[str, Any]], participant: str, seat: RecordedSeat | None
) -> list[dict[str, Any]]:
    """One row for each kind: the layers of one picture are one lane to people."""
    merged: dict[str, list[int]] = {}
    for lane in lanes:
        span = merged.setdefault(str(lane["kind"]), [lane["from"], lane["to"]])
        merged[str(lane["kind"])] = [min(span[0], lane["from"]), max(span[1], lane["to"])]
    return [
        {
            "participant": participant,
            "name": seat.name if seat else "",
            "role": seat.role if seat else "",
            "kind": kind,
            "from": begin,
            "to": end,
        }
        for kind, (begin, end) in sorted(merged.items())
    ]


def _shown(mark: Mark, started_ms: int, named: dict[str, RecordedSeat] | None) -> dict[str, Any]:
    """A term that everybody was shown; by nobody named when its seat is not recorded or was withdrawn."""
    by = named.get(mark.seat_id or "") if named else None
    return {
        "ms": max(0, mark.at_ms - started_ms),
        "texts": mark.texts,
        "by": None if by is None else {"participant": by.id, "name": by.name, "role": by.role},
    }


def seat_of(track: str) -> str:
    """Whose track it is, by its id `<seat>-<kind>` or `<seat>-<kind>-<rid>`."""
    return re.sub(r"-(?:audio|camera|screen|exam)(?:-[a-z])?\Z", "", track)


def _gap(gap: dict[str, Any], named: dict[str, RecordedSeat]) -> dict[str, Any]:
    told = {name: gap.get(name) for name in ("from", "to", "cause")}
    if gap.get("cause") == "paused":
        by = named.get(str(gap.get("by")))
        told |= {"by": None if by is None else by.name, "why": gap.get("why")}
    return told | ({"participant": gap["peer"]} if gap.get("peer") else {})
