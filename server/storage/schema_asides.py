"""Tables of what is said beside the room: chat, the interpreter's opening, who is on the way.

Rules of names and instants as in `schema.py`; it must not contain queries.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from server.storage.schema import ID, METADATA

chat_messages = Table(
    "chat_messages",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("consultation_id", ID, ForeignKey("consultations.id"), nullable=False),
    Column("session_id", ID, ForeignKey("sessions.id")),  # null: said before any session had begun
    Column("seat_id", ID, ForeignKey("seats.id"), nullable=False),
    Column("client_id", ID, nullable=False),  # the page's: the same sent again is the same message
    Column("text", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("hidden_from", JSON),  # seats that had stepped out; null: none
    UniqueConstraint("consultation_id", "seat_id", "client_id"),
    Index("ix_chat_messages_consultation_id_at_ms", "consultation_id", "at_ms"),
)

conduct_steps = Table(
    "conduct_steps",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("session_id", ID, ForeignKey("sessions.id"), nullable=False, index=True),
    Column("seat_id", ID, ForeignKey("seats.id"), nullable=False),  # the interpreter's who says so
    Column("step", String(24), nullable=False),
    Column("outcome", String(8), nullable=False),  # done | skipped
    Column("reason", String(24)),  # of a skipped one
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("session_id", "seat_id", "step"),
)

arrivals = Table(
    "arrivals",
    METADATA,
    Column("seat_id", ID, ForeignKey("seats.id"), primary_key=True),
    Column("ready_at_ms", BigInteger, nullable=False),  # not after `said_at_ms`: ready now
    Column("said_at_ms", BigInteger, nullable=False),
    Column("said_by", String(16), nullable=False),  # seat | coordinator
)
