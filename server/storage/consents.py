"""Decisions on recording: rows are only ever added; the newest of a seat counts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.consent import RECORDING, Consent
from server.storage.schema import consents


async def add(tx: AsyncConnection, consent: Consent) -> None:
    await tx.execute(
        insert(consents).values(
            id=consent.id,
            consultation_id=consent.consultation_id,
            seat_id=consent.seat_id,
            purpose=RECORDING,
            decision=consent.decision,
            persons=list(consent.persons),
            version=consent.version,
            language=consent.language,
            at_ms=consent.at_ms,
            patient=consent.patient,
            texts=consent.texts and {kind: list(read) for kind, read in consent.texts.items()},
        )
    )


async def newest_of_seat(tx: AsyncConnection, seat_id: str) -> Consent | None:
    query = (
        select(consents)
        .where(consents.c.seat_id == seat_id, consents.c.purpose == RECORDING)
        .order_by(consents.c.at_ms.desc(), consents.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _consent(row)


async def ever_granted(tx: AsyncConnection, seat_id: str) -> bool:
    """Whether the seat has agreed to being recorded at any time."""
    query = select(consents.c.id).where(
        consents.c.seat_id == seat_id, consents.c.purpose == RECORDING, consents.c.decision == "granted"
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def seats_with_patient(tx: AsyncConnection, seat_ids: set[str]) -> set[str]:
    """Those of these at which the patient was ever said to sit."""
    query = select(consents.c.seat_id).where(consents.c.seat_id.in_(seat_ids), consents.c.patient.is_(True))
    return set((await tx.execute(query)).scalars())


async def newest_by_seat(tx: AsyncConnection, consultation_id: str) -> dict[str, Consent]:
    """The newest decision of every seat that made one."""
    query = (
        select(consents)
        .where(consents.c.consultation_id == consultation_id, consents.c.purpose == RECORDING)
        .order_by(consents.c.at_ms, consents.c.id)
    )
    return {row.seat_id: _consent(row) for row in (await tx.execute(query)).all()}


def _consent(row: Row[Any]) -> Consent:
    return Consent(
        id=row.id,
        consultation_id=row.consultation_id,
        seat_id=row.seat_id,
        decision=row.decision,
        persons=tuple(row.persons),
        version=row.version,
        language=row.language,
        at_ms=row.at_ms,
        patient=row.patient,
        texts=None if row.texts is None else {kind: tuple(read) for kind, read in row.texts.items()},
    )
