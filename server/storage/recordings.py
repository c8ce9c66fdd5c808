"""Recordings in the database: their state and index, chain heads, who watched which seconds.

The media itself is never here. Rows name seats and people; the index as stored does not (the names are
joined when it is read, so that a corrected name shows at once).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage import pairings, renderings
from server.storage.database import Database
from server.storage.schema import (
    cases,
    chain_heads,
    consents,
    consultations,
    destructions,
    recordings,
    seats,
    sessions,
    watch_spans,
)
from server.storage.witnesses import Witnessed, witnessed_in

log = logging.getLogger("hyeopjin.storage.recordings")

#: A recording's state once nothing of its media is left. It never has another one again.
EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording with its session, consultation and case. `index` is the finaliser's, or None."""

    id: str
    state: str
    generation: int
    epochs_finalised: int
    epoch: int
    duration_ms: int | None
    index: dict[str, Any] | None
    error_code: str | None
    updated_ms: int
    started_ms: int
    emptied_ms: int | None
    ended_ms: int | None
    consultation_id: str
    consultation_state: str
    case_id: str
    case_label: str

    @property
    def unfinished(self) -> bool:
        """True if an epoch was recorded that no generation contains yet; never of what was destroyed."""
        return self.state != EXPIRED and (self.state != "ready" or self.epochs_finalised < self.epoch)

    @property
    def waits_for(self) -> str | None:
        """What keeps it from being finished: `space` on the disk, the object `store`, or nothing."""
        if self.state != "finalising" or self.error_code is None:
            return None
        return "store" if self.error_code.startswith("store_") else "space"


@dataclass(frozen=True, slots=True)
class RecordedSeat:
    """Who sat there, and their last decision on being recorded (`granted`, `declined` or `undecided`)."""

    id: str
    role: str
    name: str
    language: str
    decision: str


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A chain head as the worker reported it while recording."""

    epoch: int
    segment: str
    seal_index: int
    hash: str
    at_ms: int


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Recordings:
    """The repository. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, recording: str) -> RecordingRow | None:
        async with self._database.read() as connection:
            return await recording_in(connection, recording)

    async def all(self) -> list[RecordingRow]:
        """Every recording, oldest first."""
        async with self._database.read() as connection:
            found = (await connection.execute(_joined().order_by(sessions.c.started_ms))).all()
        return [_row(each) for each in found]

    async def of_case(self, case: str) -> list[RecordingRow]:
        """The recordings of one case, newest first."""
        query = _joined().where(cases.c.id == case).order_by(sessions.c.started_ms.desc())
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return [_row(each) for each in found]

    async def unfinished(self) -> list[RecordingRow]:
        """Recordings with something that no generation contains yet, oldest first."""
        query = _joined().where(
            recordings.c.state != EXPIRED,
            or_(recordings.c.state != "ready", recordings.c.epochs_finalised < sessions.c.epoch),
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query.order_by(sessions.c.started_ms))).all()
        return [_row(each) for each in found]

    async def set_state(self, recording: str, state: str, now_ms: int, error_code: str | None = None) -> None:
        """Note what is being done with the recording; an older generation stays readable."""
        change = update(recordings).where(recordings.c.id == recording, recordings.c.state != EXPIRED)
        async with self._database.write() as connection:
            await connection.execute(change.values(state=state, error_code=error_code, updated_ms=now_ms))

    async def commit_generation(
        self,
        recording: str,
        generation: int,
        epochs: int,
        duration_ms: int,
        index: Mapping[str, Any],
        now_ms: int,
    ) -> bool:
        """Publish a verified generation; False if a generation as new is already there."""
        change = update(recordings).where(
            recordings.c.id == recording,
            recordings.c.generation < generation,
            recordings.c.state != EXPIRED,
        )
        async with self._database.write() as connection:
            result = await connection.execute(
                change.values(
                    state="ready",
                    generation=generation,
                    epochs_finalised=epochs,
                    duration_ms=duration_ms,
                    index_json=json.dumps(index, ensure_ascii=False, sort_keys=True),
                    error_code=None,
                    updated_ms=now_ms,
                )
            )
            if result.rowcount == 1:  # found in tracks that are no more
                await pairings.drop(connection, recording)
        return bool(result.rowcount == 1)

    async def expire(self, recording: str, now_ms: int) -> None:
        """Its media is destroyed: no index, no generation, and no way back. Who sat there stays known."""
        change = update(recordings).where(recordings.c.id == recording)
        async with self._database.write() as connection:
            await connection.execute(
                change.values(state=EXPIRED, index_json=None, error_code=None, updated_ms=now_ms)
            )
            await pairings.drop(connection, recording)
            await renderings.blank(connection, recording)

    async def withdrawn(self, recording: str) -> list[dict[str, Any]]:
        """Lanes that are no more, as gaps: `{"id", "peer", "kind", "from", "to", "cause": "withdrawn"}`."""
        query = select(destructions.c.plan).where(
            destructions.c.recording_id == recording, destructions.c.seat_id != ""
        )
        async with self._database.read() as connection:
            plans = (await connection.execute(query)).scalars().all()
        return [gap for plan in plans for gap in plan.get("lanes", [])]

    async def seats(self, recording: str) -> list[RecordedSeat]:
        """All seats of the recording's consultation with their last decision."""
        of_session = select(sessions.c.consultation_id).where(sessions.c.id == recording).scalar_subquery()
        decided = (
            select(consents.c.seat_id, consents.c.decision)
            .where(consents.c.consultation_id == of_session, consents.c.purpose == "recording")
            .order_by(consents.c.at_ms, consents.c.id)
        )
        sitting = select(seats.c.id, seats.c.role, seats.c.name, seats.c.language).where(
            seats.c.consultation_id == of_session
        )
        async with self._database.read() as connection:
            last = {row.seat_id: row.decision for row in (await connection.execute(decided)).all()}
            found = (await connection.execute(sitting.order_by(seats.c.id))).all()
        return [
            RecordedSeat(row.id, row.role, row.name, row.language, last.get(row.id, "undecided"))
            for row in found
        ]

    async def add_heads(self, recording: str, epoch: int, heads: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the heads a worker reported (`{seat: {segment, index, hash}}`); repeats are ignored."""
        now_ms = _now_ms()
        rows = [
            {
                "recording_id": recording,
                "epoch": epoch,
                "segment": str(head["segment"]),
                "seal_index": int(head["index"]),
                "hash": str(head["hash"]),
                "at_ms": now_ms,
            }
            for head in heads.values()
        ]
        if not rows:
            return
        async with self._database.write() as connection:
            known = await connection.execute(
                select(chain_heads.c.segment, func.max(chain_heads.c.seal_index))
                .where(chain_heads.c.recording_id == recording, chain_heads.c.epoch == epoch)
                .group_by(chain_heads.c.segment)
            )
            newest = {row[0]: row[1] for row in known.all()}
            # A file that has just rolled is told twice, as its seat's newest and by its own name.
            once = {(row["segment"], row["seal_index"]): row for row in rows}.values()
            fresh = [row for row in once if row["seal_index"] > newest.get(row["segment"], -1)]
            if fresh:
                await connection.execute(insert(chain_heads), fresh)

    async def heads(self, recording: str) -> list[StoredHead]:
        """The newest stored head of every segment, in order."""
        query = select(chain_heads).where(chain_heads.c.recording_id == recording)
        async with self._database.read() as connection:
            found = (
                await connection.execute(query.order_by(chain_heads.c.epoch, chain_heads.c.seal_index))
            ).all()
        newest = {(row.epoch, row.segment): row for row in found}
        return [
            StoredHead(row.epoch, row.segment, row.seal_index, row.hash, row.at_ms) for row in newest.values()
        ]

    async def witnessed(self, recording: str) -> Witnessed:
        """What the books know of its epochs' beginnings and of people's presence."""
        async with self._database.read() as connection:
            return await witnessed_in(connection, recording)

    async def add_watched(
        self, recording: str, account: str, spans: Sequence[tuple[int, int]], now_ms: int
    ) -> None:
        """Note which milliseconds of a recording an account has watched."""
        rows = [
            {
                "recording_id": recording,
                "account_id": account,
                "from_ms": start,
                "to_ms": end,
                "at_ms": now_ms,
            }
            for start, end in spans
        ]
        if rows:
            async with self._database.write() as connection:
                await connection.execute(insert(watch_spans), rows)

    async def watched(self, recording: str, account: str) -> list[tuple[int, int]]:
        """What an account has watched: merged spans in ms since the recording's start, in order."""
        query = select(watch_spans.c.from_ms, watch_spans.c.to_ms).where(
            watch_spans.c.recording_id == recording, watch_spans.c.account_id == account
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query.order_by(watch_spans.c.from_ms))).all()
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged


async def recording_in(tx: AsyncConnection, recording: str) -> RecordingRow | None:
    """One row as a transaction sees it."""
    found = (await tx.execute(_joined().where(recordings.c.id == recording))).first()
    return None if found is None else _row(found)


async def started_of(tx: AsyncConnection, ids: Collection[str]) -> dict[str, int]:
    """When each of those that have not expired began, in ms."""
    query = select(recordings.c.id, sessions.c.started_ms).join(sessions, sessions.c.id == recordings.c.id)
    rows = await tx.execute(query.where(recordings.c.id.in_(list(ids)), recordings.c.state != EXPIRED))
    return {row.id: row.started_ms for row in rows.all()}


def _joined() -> Select[Any]:
    query = select(
        recordings,
        sessions.c.epoch,
        sessions.c.started_ms,
        sessions.c.emptied_ms,
        sessions.c.ended_ms,
        sessions.c.consultation_id,
        consultations.c.state.label("consultation_state"),
        cases.c.id.label("case_id"),
        cases.c.label.label("case_label"),
    )
    return of_cases(query)


def of_cases(query: Select[Any]) -> Select[Any]:
    """A query of recordings with the session, consultation and case that each belongs to."""
    return (
        query.join(sessions, sessions.c.id == recordings.c.id)
        .join(consultations, consultations.c.id == sessions.c.consultation_id)
        .join(cases, cases.c.id == consultations.c.case_id)
    )


def _row(row: Row[Any]) -> RecordingRow:
    return RecordingRow(
        id=row.id,
        state=row.state,
        generation=row.generation,
        epochs_finalised=row.epochs_finalised,
        epoch=row.epoch,
        duration_ms=row.duration_ms,
        index=None if row.index_json is None else json.loads(row.index_json),
        error_code=row.error_code,
        updated_ms=row.updated_ms,
        started_ms=row.started_ms,
        emptied_ms=row.emptied_ms,
        ended_ms=row.ended_ms,
        consultation_id=row.consultation_id,
        consultation_state=row.consultation_state,
        case_id=row.case_id,
        case_label=row.case_label,
    )
