"""Monthly reviews as they were made and signed, and what is known of cases when one is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, insert, select, union_all, update

from server.storage.database import Transaction
from server.storage.schema import case_people, consultations, seats
from server.storage.schema_audit import audit_reviews
from server.storage.schema_casework import case_events


@dataclass(frozen=True, slots=True)
class Review:
    """`report` never changes; signing adds who, when and what they remarked."""

    id: str
    month: str
    made_ms: int
    made_by: str | None
    report: dict[str, Any] = field(repr=False)
    sha256: str
    signed_by: str | None = None
    signed_ms: int | None = None
    remarks: str = field(default="", repr=False)


async def add(tx: Transaction, review: Review) -> None:
    await tx.execute(insert(audit_reviews).values({name: getattr(review, name) for name in Review.__slots__}))


async def by_id(tx: Transaction, review_id: str) -> Review | None:
    row = (await tx.execute(select(audit_reviews).where(audit_reviews.c.id == review_id))).one_or_none()
    return None if row is None else _review(row)


async def newest(tx: Transaction, limit: int) -> list[Review]:
    query = select(audit_reviews).order_by(audit_reviews.c.made_ms.desc(), audit_reviews.c.id).limit(limit)
    return [_review(row) for row in (await tx.execute(query)).all()]


async def sign(tx: Transaction, review_id: str, by: str, now_ms: int, remarks: str) -> bool:
    """True for exactly one caller."""
    done = await tx.execute(
        update(audit_reviews)
        .where(audit_reviews.c.id == review_id, audit_reviews.c.signed_ms.is_(None))
        .values(signed_by=by, signed_ms=now_ms, remarks=remarks)
    )
    return done.rowcount == 1


async def moved(tx: Transaction, case_ids: Iterable[str]) -> dict[str, list[int]]:
    """Case → when it was moved, and when its consultations begin; sorted."""
    wanted = set(case_ids)
    events = select(case_events.c.case_id, case_events.c.at_ms).where(case_events.c.case_id.in_(wanted))
    hours = select(consultations.c.case_id, consultations.c.starts_at_ms).where(
        consultations.c.case_id.in_(wanted)
    )
    found: dict[str, list[int]] = {}
    for case_id, at_ms in (await tx.execute(union_all(events, hours))).all():
        found.setdefault(case_id, []).append(at_ms)
    return {case_id: sorted(instants) for case_id, instants in found.items()}


async def seated(tx: Transaction, accounts: Iterable[str]) -> dict[tuple[str, str], list[int]]:
    """(account, case) → when the consultations begin in which they have a seat; sorted."""
    query = (
        select(seats.c.account_id, consultations.c.case_id, consultations.c.starts_at_ms)
        .join(consultations, consultations.c.id == seats.c.consultation_id)
        .where(seats.c.account_id.in_(set(accounts)))
    )
    found: dict[tuple[str, str], list[int]] = {}
    for account_id, case_id, starts_ms in (await tx.execute(query)).all():
        found.setdefault((account_id, case_id), []).append(starts_ms)
    return {key: sorted(instants) for key, instants in found.items()}


async def named(tx: Transaction, accounts: Iterable[str]) -> dict[tuple[str, str], set[str]]:
    """(account, case) → how they are named on it."""
    query = select(case_people).where(case_people.c.account_id.in_(set(accounts)))
    found: dict[tuple[str, str], set[str]] = {}
    for row in (await tx.execute(query)).all():
        found.setdefault((row.account_id, row.case_id), set()).add(row.relation)
    return found


def _review(row: Row[Any]) -> Review:
    return Review(**row._mapping)
