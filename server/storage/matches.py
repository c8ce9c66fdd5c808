"""What was proposed for a case, and what was decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from server.domain.matching.deciding import Decision
from server.storage.database import Transaction
from server.storage.schema import cases
from server.storage.schema_matching import match_proposals as proposals

#: Cases in these states take no place of a department any more.
OVER = ("closed", "cancelled")


@dataclass(frozen=True, slots=True)
class Proposal:
    """`found`: {places, missing, red_flags, close}; `ranked`: as `server/services/matching.py` tells it."""

    id: str
    case_id: str
    fingerprint: str
    rules: str
    found: dict[str, Any] = field(repr=False)
    ranked: list[dict[str, Any]] = field(repr=False)
    made_by: str
    made_ms: int
    department_id: str | None = None
    physician_id: str | None = None
    why: str | None = None
    note: str = field(default="", repr=False)
    decided_by: str | None = None
    decided_ms: int | None = None


async def add(tx: Transaction, made: Proposal) -> None:
    await tx.execute(
        insert(proposals).values(
            id=made.id,
            case_id=made.case_id,
            fingerprint=made.fingerprint,
            rules=made.rules,
            found=made.found,
            ranked=made.ranked,
            made_by=made.made_by,
            made_ms=made.made_ms,
            note="",
        )
    )


async def newest(tx: Transaction, case_id: str) -> Proposal | None:
    """The last one made for a case, whether or not it is decided."""
    query = select(proposals).where(proposals.c.case_id == case_id)
    query = query.order_by(proposals.c.made_ms.desc(), proposals.c.id.desc()).limit(1)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _proposal(row)


async def decided(tx: Transaction, case_id: str) -> Proposal | None:
    """The last one decided: where the case is going."""
    query = select(proposals).where(proposals.c.case_id == case_id, proposals.c.decided_ms.is_not(None))
    query = query.order_by(proposals.c.decided_ms.desc(), proposals.c.made_ms.desc()).limit(1)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _proposal(row)


async def close(tx: Transaction, proposal_id: str, decision: Decision, by: str, at_ms: int) -> bool:
    """False when somebody was faster."""
    done = await tx.execute(
        update(proposals)
        .where(proposals.c.id == proposal_id, proposals.c.decided_ms.is_(None))
        .values(
            department_id=decision.department_id,
            physician_id=decision.physician_id,
            why=decision.why,
            note=decision.note,
            decided_by=by,
            decided_ms=at_ms,
        )
    )
    return bool(done.rowcount)


async def loads(tx: Transaction, since_ms: int) -> dict[tuple[str, str | None], int]:
    """(department, physician) → cases that went there since then and are not over; each case once."""
    last = _last_decisions().subquery()
    query = (
        select(proposals.c.department_id, proposals.c.physician_id, func.count())
        .join(last, (last.c.case_id == proposals.c.case_id) & (last.c.at_ms == proposals.c.decided_ms))
        .join(cases, cases.c.id == proposals.c.case_id)
        .where(proposals.c.decided_ms >= since_ms, cases.c.state.not_in(OVER))
        .group_by(proposals.c.department_id, proposals.c.physician_id)
    )
    return {(row[0], row[1]): row[2] for row in (await tx.execute(query)).all()}


async def going_to(tx: Transaction, department_id: str) -> dict[str, str | None]:
    """Cases that go to this department now and are not over → the physician who was decided on."""
    last = _last_decisions().subquery()
    query = (
        select(proposals.c.case_id, proposals.c.physician_id)
        .join(last, (last.c.case_id == proposals.c.case_id) & (last.c.at_ms == proposals.c.decided_ms))
        .join(cases, cases.c.id == proposals.c.case_id)
        .where(proposals.c.department_id == department_id, cases.c.state.not_in(OVER))
        .order_by(proposals.c.case_id)
    )
    return {row.case_id: row.physician_id for row in (await tx.execute(query)).all()}


async def similar(tx: Transaction, site_id: str, places: Sequence[str], but: str) -> dict[str, int]:
    """Department → earlier cases of a site that were for one of these sub-specialties; without case `but`."""
    query = (
        select(proposals.c.department_id, proposals.c.found)
        .join(cases, cases.c.id == proposals.c.case_id)
        .where(cases.c.site_id == site_id, cases.c.id != but, proposals.c.decided_ms.is_not(None))
    )
    found: dict[str, int] = {}
    for row in (await tx.execute(query)).all():
        if row.found["places"] and row.found["places"][0]["place"] in places:
            found[row.department_id] = found.get(row.department_id, 0) + 1
    return found


async def departments_of(tx: Transaction, case_ids: Sequence[str]) -> set[str]:
    """Departments that were decided on for any of these cases."""
    query = select(proposals.c.department_id).where(
        proposals.c.case_id.in_(list(case_ids)), proposals.c.decided_ms.is_not(None)
    )
    return {row[0] for row in (await tx.execute(query)).all()}


def _last_decisions() -> Select[Any]:
    return (
        select(proposals.c.case_id, func.max(proposals.c.decided_ms).label("at_ms"))
        .where(proposals.c.decided_ms.is_not(None))
        .group_by(proposals.c.case_id)
    )


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(**row._mapping)
