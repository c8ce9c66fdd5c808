"""Tables of a case's glossary. The rest of the schema, and its conventions, are in `schema.py`."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from server.storage.schema import ID, METADATA

glossary_terms = Table(
    "glossary_terms",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),  # grows with every change; a change names the one it saw
    Column("texts", JSON, nullable=False),  # {language: text}, none empty
    Column("note", Text, nullable=False, default=""),
    Column("lines", Text, nullable=False),  # the texts folded, as they are searched
    Column("confirmed_by", ID),  # account
    Column("confirmed_ms", BigInteger),
    Column("changed_ms", BigInteger, nullable=False),
)

# Every state a term has had: what a mark names stays readable when the term has changed or gone.
glossary_versions = Table(
    "glossary_versions",
    METADATA,
    Column("term_id", ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("what", String(16), nullable=False),  # added | edited | confirmed | imported | deleted
    Column("texts", JSON, nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("account_id", ID),
    Column("seat_id", ID),
    Column("at_ms", BigInteger, nullable=False),
)

glossary_marks = Table(
    "glossary_marks",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("session_id", ID, ForeignKey("sessions.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("term_id", ID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seat_id", ID),  # who showed it; null while that seat is not recorded
    Index("ix_glossary_marks_session_id_at_ms", "session_id", "at_ms"),
)
