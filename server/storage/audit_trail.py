"""Looks into the audit: by whom, about whom, when, what. It adds nothing: that is `audit.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, and_, cast, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.trail import LISTS
from server.storage.audit import Entry, entry_of
from server.storage.schema_audit import audit, audit_marks
from server.storage.schema_casework import case_patients

STREAMED = 1_000


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it stands in the chain."""

    id: int
    at_ms: int
    entry: Entry
    prev_hash: str
    hash: str
    version: int


@dataclass(frozen=True, slots=True)
class Filter:
    """None: whichever. `to_ms` is not included. `accounts`: any of these."""

    account_id: str | None = None
    patient_id: str | None = None
    case_id: str | None = None
    action: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    accounts: frozenset[str] | None = None
    up_to: int | None = None  # the number of an entry, included
    actions: tuple[str, ...] = field(default=())


def _about(patient_id: str) -> ColumnElement[bool]:
    """Rows of before version 2 name the case alone: there it is whom the case is about now."""
    cases = select(case_patients.c.case_id).where(case_patients.c.patient_id == patient_id)
    shown = cast(audit.c.detail, Text).contains(patient_id, autoescape=True)
    return or_(
        audit.c.patient_id == patient_id,
        and_(audit.c.action.in_(LISTS), shown),
        and_(audit.c.version == 1, audit.c.patient_id.is_(None), audit.c.case_id.in_(cases)),
    )


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("account_id", "case_id", "action"):
        if (value := getattr(wanted, name)) is not None:
            found.append(audit.c[name] == value)
    if wanted.patient_id is not None:
        found.append(_about(wanted.patient_id))
    if wanted.from_ms is not None:
        found.append(audit.c.at_ms >= wanted.from_ms)
    if wanted.to_ms is not None:
        found.append(audit.c.at_ms < wanted.to_ms)
    if wanted.up_to is not None:
        found.append(audit.c.id <= wanted.up_to)
    if wanted.accounts is not None:
        found.append(audit.c.account_id.in_(wanted.accounts))
    if wanted.actions:
        found.append(audit.c.action.in_(wanted.actions))
    return found


async def newest_first(tx: AsyncConnection, wanted: Filter, before: int | None, limit: int) -> list[Written]:
    """`before`: only those with a lower number."""
    query = select(audit).where(*_conditions(wanted)).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [_written(row) for row in (await tx.execute(query)).all()]


async def oldest_first(tx: AsyncConnection, wanted: Filter, after: int = 0) -> AsyncIterator[Written]:
    """All of them, some at a time."""
    while rows := await some_after(tx, wanted, after, STREAMED):
        for row in rows:
            yield row
        after = rows[-1].id


async def some_after(tx: AsyncConnection, wanted: Filter, number: int, limit: int) -> list[Written]:
    """The first ones of these after this number."""
    query = select(audit).where(*_conditions(wanted), audit.c.id > number).order_by(audit.c.id).limit(limit)
    return [_written(row) for row in (await tx.execute(query)).all()]


async def next_after(tx: AsyncConnection, number: int, limit: int) -> list[Written]:
    """The first ones after this number."""
    query = select(audit).where(audit.c.id > number).order_by(audit.c.id).limit(limit)
    return [_written(row) for row in (await tx.execute(query)).all()]


async def mark(tx: AsyncConnection, name: str) -> int | None:
    """How far this follower has come."""
    query = select(audit_marks.c.audit_id).where(audit_marks.c.name == name)
    return (await tx.execute(query)).scalar_one_or_none()


async def set_mark(tx: AsyncConnection, name: str, number: int) -> None:
    done = await tx.execute(update(audit_marks).where(audit_marks.c.name == name).values(audit_id=number))
    if done.rowcount == 0:
        await tx.execute(insert(audit_marks).values(name=name, audit_id=number))


def _written(row: Row[Any]) -> Written:
    return Written(row.id, row.at_ms, entry_of(row), row.prev_hash, row.hash, row.version)
