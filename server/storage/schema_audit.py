"""Tables of the audit: the chain itself, break-glass, monthly reviews. Conventions are in `schema.py`.

The database refuses to change or delete a row of `audit` (triggers of migration 0017). A migration that
rebuilds the table on SQLite (batch mode) drops them and has to make them anew.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from server.storage.schema import HASH, ID, METADATA

audit = Table(
    "audit",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("account_id", ID),
    Column("seat_id", ID),
    Column("action", String(48), nullable=False),
    Column("subject_type", String(24), nullable=False),
    Column("subject_id", ID, nullable=False),
    Column("case_id", ID, index=True),
    Column("address", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
    # Each entry is followed by one: nobody can fork the chain.
    Column("prev_hash", HASH, nullable=False),
    Column("hash", HASH, nullable=False, unique=True),
    Column("version", Integer, nullable=False, server_default="1"),  # of the bytes that are hashed
    Column("patient_id", ID),  # the data subject, as the case had it then; before version 2: by the case
    Index("uq_audit_prev_hash", "prev_hash", unique=True),
    Index("ix_audit_patient_id", "patient_id"),
    Index("ix_audit_account_id", "account_id"),
    Index("ix_audit_at_ms", "at_ms"),
    Index("ix_audit_action", "action"),
)

# How far somebody has read the chain: a follower's own place in it.
audit_marks = Table(
    "audit_marks",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("audit_id", Integer, nullable=False),
)

# Somebody reads one patient's cases without a relation to them, for a while. The reason is words of theirs,
# so it is here and not in the chain, which has its hash.
break_glass = Table(
    "break_glass",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False),
    Column("patient_id", ID),  # of that case then: their other cases are open too
    Column("reason", Text, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),  # by hand, before its time
)

# Why entries that a checkpoint saw are missing, in words of who acknowledged it; all else is in the chain.
audit_gaps = Table(
    "audit_gaps",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("reason", Text, nullable=False),
)

audit_reviews = Table(
    "audit_reviews",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("month", String(7), nullable=False, index=True),  # 2026-11
    Column("made_ms", BigInteger, nullable=False),
    Column("made_by", ID),  # null: from the command line
    Column("report", JSON, nullable=False),
    Column("sha256", HASH, nullable=False),  # of the report; the chain has it too
    Column("signed_by", ID),
    Column("signed_ms", BigInteger),
    Column("remarks", Text, nullable=False, server_default=""),
)
