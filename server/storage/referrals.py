"""Drafts of referrals, submitted versions (only ever inserted), answers in writing, and a case's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, select, update

from server.domain.referral import Answer
from server.storage.database import Transaction
from server.storage.schema import cases
from server.storage.schema_casework import case_events, referral_answers, referral_drafts, referral_versions


@dataclass(frozen=True, slots=True)
class Draft:
    """`stamps`: which version of the draft, and whose page, wrote an answer. `aside`: what came too late."""

    case_id: str
    version: int
    form: str
    answers: Mapping[str, Answer] = field(repr=False)
    stamps: Mapping[str, list[Any]]
    aside: list[dict[str, Any]] = field(repr=False)
    based_on: int
    changed_by: str
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Version:
    """A submitted referral. Nothing of it changes any more."""

    case_id: str
    number: int
    form: str
    form_sha256: str
    answers: Mapping[str, Answer] = field(repr=False)
    person: Mapping[str, Any] = field(repr=False)
    patient_id: str
    patient_version: int
    sha256: str
    submitted_by: str
    submitted_ms: int


@dataclass(frozen=True, slots=True)
class Written:
    """An answer in writing to version `number`."""

    id: str
    case_id: str
    number: int
    text: str = field(repr=False)
    account_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Event:
    """A move of a case as it happened. `account_id` None: the room or the clock."""

    case_id: str
    at_ms: int
    move: str
    before: str
    after: str
    role: str
    account_id: str | None = None
    reason: str = ""
    questions: tuple[str, ...] = ()
    words: str = field(default="", repr=False)
    number: int | None = None


async def draft_of(tx: Transaction, case_id: str) -> Draft | None:
    row = (
        await tx.execute(select(referral_drafts).where(referral_drafts.c.case_id == case_id))
    ).one_or_none()
    return None if row is None else Draft(**row._mapping)


async def put_draft(tx: Transaction, draft: Draft) -> None:
    """The first of a case, or in place of the one before. The writers' queue keeps them apart."""
    values = _fields(draft)
    if draft.version == 1:
        await tx.execute(insert(referral_drafts).values(**values))
    else:
        where = referral_drafts.c.case_id == draft.case_id
        await tx.execute(update(referral_drafts).where(where).values(**values))


async def drop_draft(tx: Transaction, case_id: str) -> None:
    await tx.execute(delete(referral_drafts).where(referral_drafts.c.case_id == case_id))


async def drafted(tx: Transaction, case_ids: set[str]) -> dict[str, int]:
    """Of these cases those that are being written at, and when last."""
    query = select(referral_drafts.c.case_id, referral_drafts.c.changed_ms)
    rows = (await tx.execute(query.where(referral_drafts.c.case_id.in_(case_ids)))).all()
    return {row.case_id: row.changed_ms for row in rows}


async def add_version(tx: Transaction, version: Version) -> None:
    await tx.execute(insert(referral_versions).values(**_fields(version)))


async def versions_of(tx: Transaction, case_id: str) -> list[Version]:
    """Oldest first."""
    query = select(referral_versions).where(referral_versions.c.case_id == case_id)
    rows = (await tx.execute(query.order_by(referral_versions.c.number))).all()
    return [Version(**row._mapping) for row in rows]


async def newest(tx: Transaction, case_id: str) -> Version | None:
    return (await newest_of(tx, {case_id})).get(case_id)


async def newest_of(tx: Transaction, case_ids: set[str]) -> dict[str, Version]:
    """The newest of each of these cases that has one."""
    table = referral_versions.c
    last = select(table.case_id, func.max(table.number).label("number")).where(table.case_id.in_(case_ids))
    each = last.group_by(table.case_id).subquery()
    query = select(referral_versions).join(
        each, and_(table.case_id == each.c.case_id, table.number == each.c.number)
    )
    return {row.case_id: Version(**row._mapping) for row in (await tx.execute(query)).all()}


async def add_written(tx: Transaction, answer: Written) -> None:
    await tx.execute(insert(referral_answers).values(**_fields(answer)))


async def written_of(tx: Transaction, case_id: str) -> list[Written]:
    query = select(referral_answers).where(referral_answers.c.case_id == case_id)
    rows = (await tx.execute(query.order_by(referral_answers.c.at_ms, referral_answers.c.id))).all()
    return [Written(**row._mapping) for row in rows]


async def add_event(tx: Transaction, event: Event) -> None:
    values = _fields(event)
    await tx.execute(insert(case_events).values(**values | {"questions": list(event.questions)}))


async def events_of(tx: Transaction, case_id: str) -> list[Event]:
    """Oldest first."""
    query = select(case_events).where(case_events.c.case_id == case_id).order_by(case_events.c.id)
    return [_event(row) for row in (await tx.execute(query)).all()]


async def last_events(tx: Transaction, case_ids: set[str]) -> dict[str, Event]:
    """The newest of each case."""
    newest_ids = select(func.max(case_events.c.id)).where(case_events.c.case_id.in_(case_ids))
    query = select(case_events).where(case_events.c.id.in_(newest_ids.group_by(case_events.c.case_id)))
    return {row.case_id: _event(row) for row in (await tx.execute(query)).all()}


async def never_submitted(tx: Transaction, case_ids: set[str]) -> set[str]:
    """Of these those that were given up as drafts, and not submitted since."""
    known = select(case_events.c.case_id).where(case_events.c.case_id.in_(case_ids))
    given_up = known.where(case_events.c.move == "cancel", case_events.c.before == "draft")
    query = given_up.except_(known.where(case_events.c.move == "submit"))
    return set((await tx.execute(query)).scalars())


async def set_case(tx: Transaction, case_id: str, **values: str) -> None:
    """`state`, and what lists show of the newest version: `specialty`, `question`."""
    await tx.execute(update(cases).where(cases.c.id == case_id).values(**values))


async def labels_like(tx: Transaction, prefix: str) -> int:
    query = select(func.count()).where(cases.c.label.startswith(prefix, autoescape=True))
    return int((await tx.execute(query)).scalar_one())


def _event(row: Row[Any]) -> Event:
    values = {name: value for name, value in row._mapping.items() if name != "id"}
    return Event(**values | {"questions": tuple(row.questions)})


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}
