"""Consultations and their seats."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.consultation import DEAD, OVER, UNUSED, Consultation, Seat
from server.storage.schema import consultations, seats


async def add_consultation(tx: AsyncConnection, consultation: Consultation) -> None:
    await tx.execute(
        insert(consultations).values(
            id=consultation.id,
            case_id=consultation.case_id,
            state=consultation.state,
            starts_at_ms=consultation.starts_at_ms,
            opens_at_ms=consultation.opens_at_ms,
            closes_at_ms=consultation.closes_at_ms,
            ended_ms=consultation.ended_ms,
        )
    )


async def add_seat(tx: AsyncConnection, seat: Seat, position: int, token_hash: str) -> None:
    await tx.execute(
        insert(seats).values(
            id=seat.id,
            consultation_id=seat.consultation_id,
            position=position,
            role=seat.role,
            name=seat.name,
            language=seat.language,
            site_id=seat.site_id,
            account_id=seat.account_id,
            token_hash=token_hash,
            token_state=seat.link_state,
        )
    )


async def by_id(tx: AsyncConnection, consultation_id: str) -> Consultation | None:
    row = (await tx.execute(select(consultations).where(consultations.c.id == consultation_id))).one_or_none()
    return None if row is None else consultation_of(row)


async def around(tx: AsyncConnection, from_ms: int, to_ms: int) -> list[Consultation]:
    """Live ones, and those whose window touches [from, to); by start."""
    query = (
        select(consultations)
        .where(
            or_(
                consultations.c.state == "live",
                (consultations.c.opens_at_ms < to_ms) & (consultations.c.closes_at_ms > from_ms),
            )
        )
        .order_by(consultations.c.starts_at_ms, consultations.c.id)
    )
    return [consultation_of(row) for row in (await tx.execute(query)).all()]


async def all_of_them(tx: AsyncConnection) -> list[Consultation]:
    """Oldest first."""
    query = select(consultations).order_by(consultations.c.starts_at_ms, consultations.c.id)
    return [consultation_of(row) for row in (await tx.execute(query)).all()]


async def of_case(tx: AsyncConnection, case_id: str) -> list[Consultation]:
    query = (
        select(consultations)
        .where(consultations.c.case_id == case_id)
        .order_by(consultations.c.starts_at_ms.desc())
    )
    return [consultation_of(row) for row in (await tx.execute(query)).all()]


async def set_state(
    tx: AsyncConnection, consultation_id: str, state: str, ended_ms: int | None = None
) -> None:
    """Ended and cancelled also kill the seats' links."""
    await tx.execute(
        update(consultations)
        .where(consultations.c.id == consultation_id)
        .values(state=state, ended_ms=ended_ms)
    )
    if state in OVER:
        await tx.execute(
            update(seats).where(seats.c.consultation_id == consultation_id).values(token_state=DEAD)
        )


async def move(tx: AsyncConnection, consultation: Consultation) -> None:
    """Its window is this one's from now on."""
    await tx.execute(
        update(consultations)
        .where(consultations.c.id == consultation.id)
        .values(
            starts_at_ms=consultation.starts_at_ms,
            opens_at_ms=consultation.opens_at_ms,
            closes_at_ms=consultation.closes_at_ms,
        )
    )


async def reseat(tx: AsyncConnection, seat: Seat, token_hash: str) -> None:
    """Somebody else's from now on, with a new link. The caller revokes credentials given out before."""
    await tx.execute(
        update(seats)
        .where(seats.c.id == seat.id)
        .values(
            name=seat.name,
            language=seat.language,
            site_id=seat.site_id,
            account_id=seat.account_id,
            token_hash=token_hash,
            token_state=UNUSED,
        )
    )


async def seat_by_id(tx: AsyncConnection, seat_id: str) -> Seat | None:
    row = (await tx.execute(select(seats).where(seats.c.id == seat_id))).one_or_none()
    return None if row is None else _seat(row)


async def seats_by_id(tx: AsyncConnection, seat_ids: set[str]) -> dict[str, Seat]:
    """Those of them that there are."""
    rows = (await tx.execute(select(seats).where(seats.c.id.in_(seat_ids)))).all() if seat_ids else []
    return {row.id: _seat(row) for row in rows}


async def seats_of(tx: AsyncConnection, consultation_ids: set[str]) -> list[Seat]:
    """In the order they were added, which is the order the room shows them in."""
    query = select(seats).where(seats.c.consultation_id.in_(consultation_ids)).order_by(seats.c.position)
    return [_seat(row) for row in (await tx.execute(query)).all()]


async def seats_of_case(tx: AsyncConnection, case_id: str) -> list[Seat]:
    """Of all its consultations."""
    query = (
        select(seats)
        .join(consultations, consultations.c.id == seats.c.consultation_id)
        .where(consultations.c.case_id == case_id)
    )
    return [_seat(row) for row in (await tx.execute(query)).all()]


def consultation_of(row: Row[Any]) -> Consultation:
    """A row that holds all of a consultation's columns."""
    return Consultation(
        row.id, row.case_id, row.state, row.starts_at_ms, row.opens_at_ms, row.closes_at_ms, row.ended_ms
    )


def _seat(row: Row[Any]) -> Seat:
    return Seat(
        id=row.id,
        consultation_id=row.consultation_id,
        role=row.role,
        name=row.name,
        language=row.language,
        site_id=row.site_id,
        account_id=row.account_id,
        link_state=row.token_state,
    )
