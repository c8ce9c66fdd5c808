"""Seat links, seat credentials and knocks: who holds which chair.

Every take-over is one UPDATE with the expected state in its WHERE, so that exactly one of many wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.consultation import TAKEN, UNUSED
from server.domain.people import is_verified
from server.storage.schema import account_sessions, accounts, knocks, seat_credentials, seats


@dataclass(frozen=True, slots=True)
class Credential:
    """A live right to a seat. `verified`: taken by a signed-in account whose licence was checked."""

    id: str
    seat_id: str
    verified: bool
    account_session_id: str | None = None


@dataclass(frozen=True, slots=True)
class KnockRow:
    id: str
    seat_id: str
    name: str = field(repr=False)
    state: str
    created_ms: int


async def link_state(tx: AsyncConnection, seat_id: str, token_hash: str) -> str | None:
    """`unused`, `taken` or `dead`; None when this token is not this seat's."""
    query = select(seats.c.token_state).where(seats.c.id == seat_id, seats.c.token_hash == token_hash)
    return (await tx.execute(query)).scalar_one_or_none()


async def take_link(tx: AsyncConnection, seat_id: str, token_hash: str) -> bool:
    """True for exactly one caller."""
    done = await tx.execute(
        update(seats)
        .where(seats.c.id == seat_id, seats.c.token_hash == token_hash, seats.c.token_state == UNUSED)
        .values(token_state=TAKEN)
    )
    return done.rowcount == 1


async def mark_taken(tx: AsyncConnection, seat_id: str) -> None:
    """The seat is taken by its account: its link is used up as well."""
    await tx.execute(
        update(seats).where(seats.c.id == seat_id, seats.c.token_state == UNUSED).values(token_state=TAKEN)
    )


async def reissue_link(tx: AsyncConnection, seat_id: str, token_hash: str) -> None:
    """A new link; credentials given out before stay valid until it is redeemed."""
    await tx.execute(
        update(seats).where(seats.c.id == seat_id).values(token_hash=token_hash, token_state=UNUSED)
    )


async def add_credential(
    tx: AsyncConnection,
    credential_id: str,
    seat_id: str,
    secret_hash: str,
    now_ms: int,
    account_session_id: str | None,
) -> None:
    await tx.execute(
        insert(seat_credentials).values(
            id=credential_id,
            seat_id=seat_id,
            hash=secret_hash,
            created_ms=now_ms,
            account_session_id=account_session_id,
        )
    )


async def credential_by_secret(
    tx: AsyncConnection, seat_id: str, secret_hash: str, oldest_session_ms: int, now_ms: int
) -> Credential | None:
    """The live credential behind a seat cookie; its account session, if any, must be alive too."""
    return await _credential(tx, oldest_session_ms, now_ms, seat=seat_id, secret_hash=secret_hash)


async def credential_by_id(
    tx: AsyncConnection, credential_id: str, oldest_session_ms: int, now_ms: int
) -> Credential | None:
    return await _credential(tx, oldest_session_ms, now_ms, credential_id=credential_id)


async def _credential(
    tx: AsyncConnection,
    oldest_session_ms: int,
    now_ms: int,
    *,
    credential_id: str | None = None,
    seat: str | None = None,
    secret_hash: str | None = None,
) -> Credential | None:
    query = (
        select(
            seat_credentials.c.id,
            seat_credentials.c.seat_id,
            seat_credentials.c.account_session_id,
            account_sessions.c.created_ms,
            account_sessions.c.revoked_ms,
            accounts.c.disabled,
            accounts.c.verified,
            accounts.c.verified_until_ms,
        )
        .outerjoin(account_sessions, account_sessions.c.id == seat_credentials.c.account_session_id)
        .outerjoin(accounts, accounts.c.id == account_sessions.c.account_id)
        .where(seat_credentials.c.revoked_ms.is_(None))
    )
    if credential_id is not None:
        query = query.where(seat_credentials.c.id == credential_id)
    else:
        query = query.where(seat_credentials.c.seat_id == seat, seat_credentials.c.hash == secret_hash)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    if row.account_session_id is None:
        return Credential(row.id, row.seat_id, verified=False)
    if row.revoked_ms is not None or row.disabled or row.created_ms <= oldest_session_ms:
        return None
    verified = is_verified(row.verified, row.verified_until_ms, now_ms)
    return Credential(row.id, row.seat_id, verified, row.account_session_id)


async def verified_seats(tx: AsyncConnection, seat_ids: set[str], now_ms: int) -> set[str]:
    """Seats whose live credential was taken by an account whose licence was checked and holds."""
    query = (
        select(seat_credentials.c.seat_id)
        .join(account_sessions, account_sessions.c.id == seat_credentials.c.account_session_id)
        .join(accounts, accounts.c.id == account_sessions.c.account_id)
        .where(
            seat_credentials.c.seat_id.in_(seat_ids),
            seat_credentials.c.revoked_ms.is_(None),
            account_sessions.c.revoked_ms.is_(None),
            accounts.c.verified.is_(True),
            accounts.c.verified_until_ms.is_(None) | (accounts.c.verified_until_ms > now_ms),
            accounts.c.disabled.is_(False),
        )
    )
    return set((await tx.execute(query)).scalars())


async def revoke_credentials_of_seat(tx: AsyncConnection, seat_id: str, now_ms: int) -> list[str]:
    """Ids of those that were alive."""
    alive = (
        (
            await tx.execute(
                select(seat_credentials.c.id).where(
                    seat_credentials.c.seat_id == seat_id, seat_credentials.c.revoked_ms.is_(None)
                )
            )
        )
        .scalars()
        .all()
    )
    await _revoke(tx, list(alive), now_ms)
    return list(alive)


async def revoke_credentials_of_session(
    tx: AsyncConnection, account_session_id: str, now_ms: int
) -> list[str]:
    query = select(seat_credentials.c.id).where(
        seat_credentials.c.account_session_id == account_session_id,
        seat_credentials.c.revoked_ms.is_(None),
    )
    alive = list((await tx.execute(query)).scalars())
    await _revoke(tx, alive, now_ms)
    return alive


async def taken_with(tx: AsyncConnection, account_session_id: str) -> list[tuple[str, str]]:
    """(consultation, seat) of the live credentials that an account session took."""
    query = (
        select(seats.c.consultation_id, seats.c.id)
        .join(seat_credentials, seat_credentials.c.seat_id == seats.c.id)
        .where(
            seat_credentials.c.account_session_id == account_session_id,
            seat_credentials.c.revoked_ms.is_(None),
        )
    )
    return [(row.consultation_id, row.id) for row in (await tx.execute(query)).all()]


async def _revoke(tx: AsyncConnection, ids: list[str], now_ms: int) -> None:
    await tx.execute(update(seat_credentials).where(seat_credentials.c.id.in_(ids)).values(revoked_ms=now_ms))


async def add_knock(tx: AsyncConnection, knock: KnockRow, secret_hash: str) -> None:
    await tx.execute(
        insert(knocks).values(
            id=knock.id,
            seat_id=knock.seat_id,
            name=knock.name,
            hash=secret_hash,
            state=knock.state,
            created_ms=knock.created_ms,
        )
    )


async def waiting_knocks(tx: AsyncConnection, seat_ids: set[str], since_ms: int) -> list[KnockRow]:
    query = (
        select(knocks)
        .where(knocks.c.seat_id.in_(seat_ids), knocks.c.state == "waiting", knocks.c.created_ms >= since_ms)
        .order_by(knocks.c.created_ms, knocks.c.id)
    )
    return [
        KnockRow(row.id, row.seat_id, row.name, row.state, row.created_ms)
        for row in (await tx.execute(query)).all()
    ]


async def count_waiting(tx: AsyncConnection, seat_id: str, since_ms: int) -> int:
    query = select(func.count()).where(
        knocks.c.seat_id == seat_id, knocks.c.state == "waiting", knocks.c.created_ms >= since_ms
    )
    return int((await tx.execute(query)).scalar_one())


async def knock_by_secret(tx: AsyncConnection, seat_id: str, secret_hash: str) -> KnockRow | None:
    query = select(knocks).where(knocks.c.seat_id == seat_id, knocks.c.hash == secret_hash)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else KnockRow(row.id, row.seat_id, row.name, row.state, row.created_ms)


async def knock_by_id(tx: AsyncConnection, knock_id: str) -> KnockRow | None:
    row = (await tx.execute(select(knocks).where(knocks.c.id == knock_id))).one_or_none()
    return None if row is None else KnockRow(row.id, row.seat_id, row.name, row.state, row.created_ms)


async def move_knock(
    tx: AsyncConnection, knock_id: str, from_state: str, to_state: str, by_seat: str | None = None
) -> bool:
    """True for exactly one caller."""
    values: dict[str, str] = {"state": to_state}
    if by_seat is not None:
        values["answered_by"] = by_seat
    done = await tx.execute(
        update(knocks).where(knocks.c.id == knock_id, knocks.c.state == from_state).values(**values)
    )
    return done.rowcount == 1


async def refuse_other_knocks(tx: AsyncConnection, seat_id: str, except_id: str) -> None:
    """One was admitted to the seat: the others waiting at it are turned away."""
    await tx.execute(
        update(knocks)
        .where(knocks.c.seat_id == seat_id, knocks.c.state == "waiting", knocks.c.id != except_id)
        .values(state="refused")
    )
