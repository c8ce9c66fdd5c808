"""Tables of what goes out: mails waiting to be sent, and calendar feeds. Conventions are in `schema.py`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from server.storage.schema import HASH, ID, METADATA

mails = Table(
    "mails",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False),
    Column("consultation_id", ID, ForeignKey("consultations.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # invitation | moved | cancelled | reminder_…
    Column("sequence", Integer, nullable=False),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("ends_at_ms", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),  # waiting | sent | stale | refused
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_ms", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
    Column("error", String(32)),  # a code, never a server's words
    UniqueConstraint("consultation_id", "account_id", "kind", "sequence"),
    Index("ix_mails_state_next_ms", "state", "next_ms"),
)

calendar_feeds = Table(
    "calendar_feeds",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("token_hash", HASH, nullable=False, unique=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)
