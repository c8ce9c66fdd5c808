"""The chat of consultations: lines are only added, in the order they came."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.domain.chat import ChatMessage
from server.storage.schema_asides import chat_messages


async def add(tx: AsyncConnection, message: ChatMessage) -> None:
    await tx.execute(
        insert(chat_messages).values(
            id=message.id,
            consultation_id=message.consultation_id,
            session_id=message.session_id,
            seat_id=message.seat_id,
            client_id=message.client_id,
            text=message.text,
            at_ms=message.at_ms,
            hidden_from=sorted(message.hidden_from),
        )
    )


async def said(tx: AsyncConnection, consultation: str, seat: str, client_id: str) -> ChatMessage | None:
    """What this seat has said under this id already."""
    query = select(chat_messages).where(
        chat_messages.c.consultation_id == consultation,
        chat_messages.c.seat_id == seat,
        chat_messages.c.client_id == client_id,
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _message(row)


async def count(tx: AsyncConnection, consultation: str) -> int:
    query = select(func.count()).where(chat_messages.c.consultation_id == consultation)
    return int((await tx.execute(query)).scalar_one())


async def of_consultation(tx: AsyncConnection, consultation: str) -> list[ChatMessage]:
    """Oldest first."""
    query = select(chat_messages).where(chat_messages.c.consultation_id == consultation)
    return await _all(tx, query)


async def of_session(tx: AsyncConnection, session: str) -> list[ChatMessage]:
    """What was said while this session ran, oldest first."""
    return await _all(tx, select(chat_messages).where(chat_messages.c.session_id == session))


async def _all(tx: AsyncConnection, query: Any) -> list[ChatMessage]:
    rows = await tx.execute(query.order_by(chat_messages.c.at_ms, chat_messages.c.id))
    return [_message(row) for row in rows.all()]


def _message(row: Row[Any]) -> ChatMessage:
    return ChatMessage(
        id=row.id,
        consultation_id=row.consultation_id,
        session_id=row.session_id,
        seat_id=row.seat_id,
        client_id=row.client_id,
        text=row.text,
        at_ms=row.at_ms,
        hidden_from=frozenset(row.hidden_from or ()),
    )
