"""What the books know of a case that its documents' period hangs on. It must not decide."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from server.domain.document_period import KEPT, CaseFacts
from server.domain.person_consent import GRANTED
from server.storage.database import Transaction
from server.storage.schema import (
    accounts,
    case_people,
    cases,
    consultations,
    recordings,
    retentions,
    seats,
    sessions,
    sites,
)
from server.storage.schema_casework import case_events, referral_answers, referral_versions
from server.storage.schema_consents import person_consents
from server.storage.schema_documents import documents

TRANSFER = "transfer_abroad"


async def facts(tx: Transaction, case_id: str | None = None) -> list[CaseFacts]:
    """Of one case, or of all of which documents are kept; in the order of their ids."""
    ids = {case_id} if case_id else await _with_documents(tx)
    only = case_id
    last = await _latest(tx, select(cases.c.id, cases.c.created_ms), only, cases.c.id)
    for when, case in (
        (func.max(case_events.c.at_ms), case_events.c.case_id),
        (func.max(referral_versions.c.submitted_ms), referral_versions.c.case_id),
        (func.max(func.coalesce(documents.c.ready_ms, documents.c.touched_ms)), documents.c.case_id),
    ):
        _later(last, await _latest(tx, select(case, when).group_by(case), only, case))
    answered = await _latest(
        tx,
        select(referral_answers.c.case_id, func.max(referral_answers.c.at_ms)).group_by(
            referral_answers.c.case_id
        ),
        only,
        referral_answers.c.case_id,
    )
    ended, running = await _sessions(tx, only)
    _later(last, answered)
    _later(last, ended)
    recorded = await _recorded(tx, only)
    withdrawn = await _withdrawn(tx, only)
    return [
        CaseFacts(
            case,
            last[case],
            case in running,
            case in answered or case in ended or case in running,
            recorded.get(case),
            withdrawn.get(case),
        )
        for case in sorted(ids & last.keys())
    ]


async def withdrawn_ms(tx: Transaction, case_id: str) -> int | None:
    """Since when the patient does not agree to the transfer abroad; None: they do, or were never asked."""
    return (await _withdrawn(tx, case_id)).get(case_id)


async def zones_of(tx: Transaction, case_id: str) -> list[str]:
    """Of the case's own site and of all that take part in it."""
    found: list[str] = []
    for query in (
        select(sites.c.time_zone).join(cases, cases.c.site_id == sites.c.id).where(cases.c.id == case_id),
        select(sites.c.time_zone)
        .join(seats, seats.c.site_id == sites.c.id)
        .join(consultations, consultations.c.id == seats.c.consultation_id)
        .where(consultations.c.case_id == case_id),
        select(sites.c.time_zone)
        .join(accounts, accounts.c.site_id == sites.c.id)
        .join(case_people, case_people.c.account_id == accounts.c.id)
        .where(case_people.c.case_id == case_id),
    ):
        found += (await tx.execute(query.order_by(sites.c.id))).scalars()
    return list(dict.fromkeys(found))


async def _with_documents(tx: Transaction) -> set[str]:
    query = select(documents.c.case_id).where(
        documents.c.state.in_([state.value for state in KEPT]),
        documents.c.destroyed_ms.is_(None),
        documents.c.destroy.is_(False),
    )
    return set((await tx.execute(query.distinct())).scalars())


async def _latest(
    tx: Transaction, query: Select[Any], case_id: str | None, column: ColumnElement[Any]
) -> dict[str, int]:
    if case_id is not None:
        query = query.where(column == case_id)
    return {row[0]: int(row[1]) for row in (await tx.execute(query)).all() if row[1] is not None}


def _later(last: dict[str, int], found: dict[str, int]) -> None:
    for case, at_ms in found.items():
        last[case] = max(at_ms, last.get(case, 0))


async def _sessions(tx: Transaction, case_id: str | None) -> tuple[dict[str, int], set[str]]:
    """(case → end of its last session, cases in which one runs)"""
    query = select(consultations.c.case_id, sessions.c.ended_ms).join(
        sessions, sessions.c.consultation_id == consultations.c.id
    )
    if case_id is not None:
        query = query.where(consultations.c.case_id == case_id)
    ended: dict[str, int] = {}
    running = set()
    for case, at_ms in (await tx.execute(query)).all():
        if at_ms is None:
            running.add(case)
        else:
            ended[case] = max(int(at_ms), ended.get(case, 0))
    return ended, running


async def _recorded(tx: Transaction, case_id: str | None) -> dict[str, int]:
    """Until when the recording that is kept longest is kept; none that is gone already."""
    query = (
        select(consultations.c.case_id, func.max(retentions.c.kept_until_ms))
        .join(sessions, sessions.c.consultation_id == consultations.c.id)
        .join(recordings, recordings.c.id == sessions.c.id)
        .join(retentions, retentions.c.recording_id == recordings.c.id)
        .where(recordings.c.state != "expired")
        .group_by(consultations.c.case_id)
    )
    return await _latest(tx, query, case_id, consultations.c.case_id)


async def _withdrawn(tx: Transaction, case_id: str | None) -> dict[str, int]:
    query = select(person_consents.c.case_id, person_consents.c.decision, person_consents.c.at_ms)
    query = query.where(person_consents.c.purpose == TRANSFER)
    if case_id is not None:
        query = query.where(person_consents.c.case_id == case_id)
    newest: dict[str, tuple[str, int]] = {}
    rows = await tx.execute(query.order_by(person_consents.c.at_ms, person_consents.c.id))
    for case, decision, at_ms in rows.all():
        newest[case] = (decision, int(at_ms))
    return {case: at_ms for case, (decision, at_ms) in newest.items() if decision != GRANTED}
