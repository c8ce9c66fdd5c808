"""Class and end of every recording's period, and when housekeeping last ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.retention import DEFAULT_CLASS, Standing
from server.storage.recordings import EXPIRED, of_cases
from server.storage.schema import (
    cases,
    consultations,
    destructions,
    holds,
    housekeeping,
    recordings,
    retentions,
    seats,
    sessions,
    sites,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording with its class, its case, and where it stands."""

    recording_id: str
    consultation_id: str
    case_id: str
    case_label: str
    state: str
    started_ms: int
    ended_ms: int | None
    klass: str
    extended_years: int
    standing: Standing
    before_teaching: str | None = None


async def get(tx: AsyncConnection, recording: str) -> Kept | None:
    row = (await tx.execute(_kept().where(recordings.c.id == recording))).one_or_none()
    return None if row is None else _row(row)


async def of_case(tx: AsyncConnection, case_id: str) -> list[Kept]:
    query = _kept().where(cases.c.id == case_id).order_by(sessions.c.started_ms.desc())
    return [_row(row) for row in (await tx.execute(query)).all()]


async def until(tx: AsyncConnection, before_ms: int) -> list[Kept]:
    """What is still there and ends before an instant, soonest first."""
    query = _kept().where(retentions.c.kept_until_ms <= before_ms, recordings.c.state != EXPIRED)
    query = query.order_by(retentions.c.kept_until_ms, recordings.c.id)
    return [_row(row) for row in (await tx.execute(query)).all()]


async def everything(tx: AsyncConnection) -> list[Kept]:
    found = await tx.execute(_kept().order_by(sessions.c.started_ms, recordings.c.id))
    return [_row(row) for row in found.all()]


async def cases_with_recordings(tx: AsyncConnection, most: int) -> list[dict[str, str]]:
    """`{id, label}` of the cases that have recordings, the newest first: nothing of the patient."""
    query = (
        select(cases.c.id, cases.c.label)
        .where(exists().where(consultations.c.case_id == cases.c.id, _of_session()))
        .order_by(cases.c.created_ms.desc(), cases.c.id)
        .limit(most)
    )
    return [{"id": row.id, "label": row.label} for row in (await tx.execute(query)).all()]


def _of_session() -> Any:
    return sessions.c.consultation_id == consultations.c.id


async def undated(tx: AsyncConnection) -> list[Kept]:
    """Recordings whose session has ended and that nobody has reckoned an end for yet."""
    query = _kept().where(sessions.c.ended_ms.is_not(None), retentions.c.kept_until_ms.is_(None))
    return [_row(row) for row in (await tx.execute(query)).all()]


async def zones_of(tx: AsyncConnection, consultation_id: str) -> list[str]:
    """The time zones of all places that took part: the case's and the seats'."""
    own = (
        select(sites.c.time_zone)
        .join(cases, cases.c.site_id == sites.c.id)
        .join(consultations, consultations.c.case_id == cases.c.id)
        .where(consultations.c.id == consultation_id)
    )
    there = (
        select(sites.c.time_zone)
        .join(seats, seats.c.site_id == sites.c.id)
        .where(seats.c.consultation_id == consultation_id)
    )
    found = [*(await tx.execute(own)).scalars(), *(await tx.execute(there)).scalars()]
    return list(dict.fromkeys(found))


async def put(
    tx: AsyncConnection,
    recording: str,
    klass: str,
    extended_years: int,
    kept_until_ms: int | None,
    before_teaching: str | None = None,
) -> None:
    await tx.execute(delete(retentions).where(retentions.c.recording_id == recording))
    await tx.execute(
        insert(retentions).values(
            recording_id=recording,
            klass=klass,
            extended_years=extended_years,
            kept_until_ms=kept_until_ms,
            before_teaching=before_teaching,
        )
    )


async def mark(tx: AsyncConnection, name: str, at_ms: int) -> None:
    """Note that a kind of housekeeping has run."""
    await tx.execute(delete(housekeeping).where(housekeeping.c.name == name))
    await tx.execute(insert(housekeeping).values(name=name, at_ms=at_ms))


async def marked(tx: AsyncConnection, name: str) -> int | None:
    query = select(housekeeping.c.at_ms).where(housekeeping.c.name == name)
    found: int | None = (await tx.execute(query)).scalar_one_or_none()
    return found


def _kept() -> Select[Any]:
    held = exists().where(holds.c.case_id == cases.c.id, holds.c.lifted_ms.is_(None))
    gone = exists().where(
        destructions.c.recording_id == recordings.c.id,
        destructions.c.seat_id == "",
        destructions.c.state == "done",
    )
    query = select(
        recordings.c.id,
        recordings.c.state,
        sessions.c.consultation_id,
        sessions.c.started_ms,
        sessions.c.ended_ms,
        cases.c.id.label("case_id"),
        cases.c.label.label("case_label"),
        retentions.c.klass.label("klass"),
        retentions.c.extended_years,
        retentions.c.kept_until_ms,
        retentions.c.before_teaching,
        held.label("held"),
        gone.label("gone"),
    )
    return of_cases(query).outerjoin(retentions, retentions.c.recording_id == recordings.c.id)


def _row(row: Row[Any]) -> Kept:
    return Kept(
        recording_id=row.id,
        consultation_id=row.consultation_id,
        case_id=row.case_id,
        case_label=row.case_label,
        state=row.state,
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        klass=row.klass or DEFAULT_CLASS,
        extended_years=row.extended_years or 0,
        standing=Standing(row.kept_until_ms, bool(row.held), bool(row.gone)),
        before_teaching=row.before_teaching,
    )
