"""Agreed hours, and what each books. That nothing is booked twice is kept by the key of `booked_quarters`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.appointment import BOOKED, Appointment, quarters, spans_of
from server.domain.consultation import Consultation
from server.domain.hours import Span
from server.storage.consultations import consultation_of
from server.storage.schema import consultations, seats
from server.storage.schema_schedule import appointments, booked_quarters, bookings, schedule_requests


class TakenError(Exception):
    """Somebody or something is booked then already. The transaction is lost: nothing of it may be kept."""


@dataclass(frozen=True, slots=True)
class Booking:
    resource_id: str
    kind: str


async def add(tx: AsyncConnection, appointment: Appointment) -> None:
    await tx.execute(
        insert(appointments).values(consultation_id=appointment.consultation_id, **_values(appointment))
    )


async def change(tx: AsyncConnection, appointment: Appointment) -> None:
    await tx.execute(
        update(appointments)
        .where(appointments.c.consultation_id == appointment.consultation_id)
        .values(**_values(appointment))
    )


async def of(tx: AsyncConnection, consultation_ids: Iterable[str]) -> dict[str, Appointment]:
    """By consultation; one without an agreed hour is not there."""
    query = select(appointments).where(appointments.c.consultation_id.in_(set(consultation_ids)))
    return {row.consultation_id: _appointment(row) for row in await tx.execute(query)}


async def beginning_between(
    tx: AsyncConnection, from_ms: int, to_ms: int
) -> list[tuple[Consultation, Appointment]]:
    """Those booked to begin in [from, to), by start."""
    query = (
        select(consultations)
        .join(appointments, appointments.c.consultation_id == consultations.c.id)
        .where(
            appointments.c.state == BOOKED,
            consultations.c.state == "scheduled",
            consultations.c.starts_at_ms >= from_ms,
            consultations.c.starts_at_ms < to_ms,
        )
        .order_by(consultations.c.starts_at_ms, consultations.c.id)
    )
    rows = (await tx.execute(query)).all()
    agreed = await of(tx, [row.id for row in rows])
    return [(consultation_of(row), agreed[row.id]) for row in rows]


async def book(tx: AsyncConnection, consultation_id: str, span: Span, wanted: Mapping[str, str]) -> None:
    """Books each resource (id → kind) for this span, in place of what the consultation had.

    Raises TakenError.
    """
    await release(tx, consultation_id)
    await tx.execute(delete(bookings).where(bookings.c.consultation_id == consultation_id))
    rows = [
        {"resource_id": id_, "quarter": number, "consultation_id": consultation_id}
        for id_ in sorted(wanted)
        for number in quarters(span)
    ]
    try:
        await tx.execute(insert(booked_quarters), rows)
    except IntegrityError:
        raise TakenError from None
    await tx.execute(
        insert(bookings),
        [{"consultation_id": consultation_id, "resource_id": id_, "kind": wanted[id_]} for id_ in wanted],
    )


async def release(tx: AsyncConnection, consultation_id: str) -> None:
    """Its people and rooms are free again; who was booked stays known."""
    await tx.execute(delete(booked_quarters).where(booked_quarters.c.consultation_id == consultation_id))


async def bookings_of(tx: AsyncConnection, consultation_ids: Iterable[str]) -> dict[str, list[Booking]]:
    query = select(bookings).where(bookings.c.consultation_id.in_(set(consultation_ids)))
    found: dict[str, list[Booking]] = {}
    for row in await tx.execute(query.order_by(bookings.c.kind, bookings.c.resource_id)):
        found.setdefault(row.consultation_id, []).append(Booking(row.resource_id, row.kind))
    return found


async def booked(
    tx: AsyncConnection, resources: Iterable[str], span: Span, but: str | None = None
) -> dict[str, list[Span]]:
    """When they are taken, by resource; `but`: a consultation that does not count."""
    numbers = quarters(span)
    query = select(booked_quarters.c.resource_id, booked_quarters.c.quarter).where(
        booked_quarters.c.resource_id.in_(set(resources)),
        booked_quarters.c.quarter >= numbers.start,
        booked_quarters.c.quarter < numbers.stop,
    )
    if but is not None:
        query = query.where(booked_quarters.c.consultation_id != but)
    found: dict[str, list[int]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.resource_id, []).append(row.quarter)
    return {id_: spans_of(taken) for id_, taken in found.items()}


async def of_account(
    tx: AsyncConnection, account_id: str, since_ms: int
) -> list[tuple[Consultation, Appointment, str]]:
    """The hours one person is or was booked for, from then on, each with their seat; by start."""
    query = (
        select(consultations, seats.c.id.label("seat_id"))
        .join(appointments, appointments.c.consultation_id == consultations.c.id)
        .join(seats, seats.c.consultation_id == consultations.c.id)
        .where(seats.c.account_id == account_id, consultations.c.starts_at_ms >= since_ms)
        .order_by(consultations.c.starts_at_ms, consultations.c.id)
    )
    rows = (await tx.execute(query)).all()
    agreed = await of(tx, [row.id for row in rows])
    return [(consultation_of(row), agreed[row.id], row.seat_id) for row in rows]


async def request(tx: AsyncConnection, request_id: str) -> tuple[str, str] | None:
    """(digest, consultation) of a request that was done before."""
    row = (
        await tx.execute(select(schedule_requests).where(schedule_requests.c.id == request_id))
    ).one_or_none()
    return None if row is None else (row.digest, row.consultation_id)


async def add_request(
    tx: AsyncConnection, request_id: str, digest: str, consultation_id: str, now_ms: int
) -> None:
    values = {"id": request_id, "digest": digest, "consultation_id": consultation_id, "at_ms": now_ms}
    await tx.execute(insert(schedule_requests).values(**values))


def _values(appointment: Appointment) -> dict[str, Any]:
    return {
        "ends_at_ms": appointment.ends_at_ms,
        "sequence": appointment.sequence,
        "state": appointment.state,
        "languages": None if appointment.languages is None else list(appointment.languages),
        "booked_by": appointment.booked_by,
        "changed_ms": appointment.changed_ms,
        "side": appointment.side,
        "reason": appointment.reason,
        "missing": list(appointment.missing),
    }


def _appointment(row: Row[Any]) -> Appointment:
    return Appointment(
        consultation_id=row.consultation_id,
        ends_at_ms=row.ends_at_ms,
        sequence=row.sequence,
        state=row.state,
        languages=None if row.languages is None else (row.languages[0], row.languages[1]),
        booked_by=row.booked_by,
        changed_ms=row.changed_ms,
        side=row.side,
        reason=row.reason,
        missing=tuple(row.missing or ()),
    )
