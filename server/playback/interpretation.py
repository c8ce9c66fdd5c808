"""The interpretation of a finished recording: who said what in which language, and what rendered it.

Found once for each generation, when it is finished or when somebody first asks, and kept beside it. Use cases
only: who may is asked before. It must not know who asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakValueDictionary

from server.domain.errors import Refused
from server.domain.pairing import VERSION, interpreted
from server.domain.talk import Change, Person, Settings, Utterance
from server.playback.playback import Playback
from server.runtime.job_child import JobChild
from server.runtime.machinery import LISTENER
from server.runtime.tasks import TaskOwner, describe
from server.services.context import unix_ms
from server.services.follow_up import Withheld
from server.storage import pairings
from server.storage.database import Database
from server.storage.recordings import RecordedSeat, RecordingRow, Recordings, recording_in

log = logging.getLogger("hyeopjin.playback.interpretation")

Body = dict[str, Any]
TOLD = ("mode", "direction", "partner", "signal")
"""Words of the time line that pairing goes by; what follows the colon is the value."""
SWITCHED = {"silenced": "silenced", "unsilenced": "silenced", "step_out": "out", "step_in": "out"}
ON = ("silenced", "step_out")
OF_ROOM = ("mode",)


class Interpretations:
    """One per server. `close` ends a listener that is at work."""

    def __init__(self, database: Database, rows: Recordings, playback: Playback) -> None:
        self._database, self._rows, self._playback = database, rows, playback
        self._owner = TaskOwner("interpretation")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        await self._owner.close()

    async def ready(self, recording: str) -> None:
        """A generation was finished: find what was rendered, and keep nobody waiting for it."""
        self._owner.spawn(self._found_early(recording), "find")

    async def _found_early(self, recording: str) -> None:
        try:
            await self._kept(recording)
        except Exception as error:  # it is found again when somebody asks
            log.warning("what was rendered in a recording is not found yet: %s", describe(error))

    async def of(self, recording: str, kept_back: Withheld) -> Body:
        """`{people, pairs, own, changes}`, times in ms since the recording's start; without people whose part
        was destroyed or is kept back. Raises Refused `not_found`, `recording_not_ready`, `destroyed`.
        """
        await self._playback.require_playable(recording)
        body = await self._kept(recording)
        await self._playback.require_playable(recording)  # finding it may have taken long
        described = await self._playback.describe(recording, kept_back)
        return _without(body, {*kept_back, *(one["participant"] for one in described["withdrawn"])})

    async def _kept(self, recording: str) -> Body:
        """Of everybody, out of the books, or found now and kept. Raises Refused `not_found`,
        `recording_not_ready`.
        """
        turn = self._turns.setdefault(recording, asyncio.Lock())
        async with turn:  # found once, however many ask at the same time
            row = await self._rows.get(recording)
            if row is None:
                raise Refused("not_found")
            if row.index is None or not row.generation:
                raise Refused("recording_not_ready")
            async with self._database.read() as tx:
                body = await pairings.get(tx, recording, row.generation, VERSION)
            if body is None:
                body = await self._find(row)
            return body

    async def _find(self, row: RecordingRow) -> Body:
        seats = await self._rows.seats(row.id)
        async with self._database.read() as tx:
            told = await pairings.time_line(tx, row.id)
        sounds = {
            str(track["peer"]): await self._sounds(row, track)
            for track in (row.index or {}).get("tracks", [])
            if track["kind"] == "audio"
        }
        body = await asyncio.to_thread(found, seats, changes(told, row.started_ms), sounds)
        async with self._database.write() as tx:
            now = await recording_in(tx, row.id)  # meanwhile it may have expired, or lost a voice
            if now is not None and now.index is not None and now.generation == row.generation:
                await pairings.keep(tx, row.id, row.generation, VERSION, body, unix_ms())
        log.info("what was rendered in a recording is found: %d pairs", len(body["pairs"]))
        return body

    async def _sounds(self, row: RecordingRow, track: dict[str, Any]) -> list[tuple[int, int]]:
        """By the levels of its packets, as the finaliser noted them; else by listening to it."""
        if "speech" in track:
            return [(start, stop) for start, stop in track["speech"]]
        try:
            reader = await self._playback.track(row.id, str(track["id"]))
            plain = b"".join([chunk async for chunk in reader.chunks(0, reader.size)])
            told = await JobChild("listener", LISTENER, self._owner, RuntimeError).run(plain)
        except Exception as error:  # one voice that cannot be heard does not hide the others
            log.warning("a track could not be listened to: %s", describe(error))
            return []
        offset = int(track["offset_ms"])
        return [(offset + start, offset + stop) for start, stop in told["speech"]]


def changes(told: Iterable[tuple[int, str, str]], started_ms: int) -> list[Change]:
    """The time line's lines that matter: `mode:simultaneous`, `direction:ko>ru`, `partner:on` …"""
    made = []
    for at_ms, what, seat in told:
        kind, _, value = what.partition(":")
        if kind in SWITCHED:
            kind, value = SWITCHED[kind], "on" if kind in ON else "off"
        elif kind not in TOLD:
            continue
        made.append(Change(max(0, at_ms - started_ms), kind, "" if kind in OF_ROOM else seat, value))
    return made


def found(
    seats: Sequence[RecordedSeat], told: Sequence[Change], sounds: dict[str, list[tuple[int, int]]]
) -> Body:
    """What is kept of a recording: pairs, what interpreters said that renders nothing, who speaks what."""
    people = [Person(seat.id, seat.role, languages(seat.language)) for seat in seats if seat.id in sounds]
    settings = Settings(told)
    heard = interpreted(people, settings, sounds)
    own = [{**_span(each), "signalled": False} for each in heard.rest]
    own += [{**_span(each), "signalled": True} for each in heard.own]
    return {
        "people": [
            {"participant": one.id, "role": one.role, "languages": list(one.languages)} for one in people
        ],
        "pairs": [
            {
                "said": [_span(each) for each in pair.said],
                "rendered": _span(pair.rendered),
                "source": pair.source,
                "target": pair.target,
                "mode": pair.mode,
            }
            for pair in heard.pairs
        ],
        "own": sorted(own, key=lambda each: each["from"]),
        "changes": [
            {"at": each.at_ms, "kind": each.kind, "participant": each.by or None, "value": each.value}
            for each in told
            if each.kind in ("mode", "direction")
        ],
    }


def languages(told: str) -> tuple[str, ...]:
    """Of a seat as the books write them: `ru`, or `ru/ko` for an interpreter."""
    return tuple(part.strip() for part in told.lower().split("/") if part.strip())


def _span(each: Utterance) -> dict[str, Any]:
    return {"participant": each.person, "from": each.from_ms, "to": each.to_ms}


def _without(body: Body, gone: set[str]) -> Body:
    """Of people whose part was destroyed, or is kept back, not even when they spoke is told."""
    pairs_left = []
    for pair in body["pairs"]:
        said = [each for each in pair["said"] if each["participant"] not in gone]
        if said and pair["rendered"]["participant"] not in gone:
            pairs_left.append({**pair, "said": said})
    return {
        "people": [each for each in body["people"] if each["participant"] not in gone],
        "pairs": pairs_left,
        "own": [each for each in body["own"] if each["participant"] not in gone],
        "changes": [each for each in body["changes"] if each["participant"] not in gone],
    }
