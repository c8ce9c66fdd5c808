"""Tables of a case's documents. Names and instants as in `schema.py`; it must not contain queries."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from server.storage.schema import HASH, ID, METADATA

documents = Table(
    "documents",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("request", ID, nullable=False),  # the page's own id of what it asked for
    Column("name", Text, nullable=False),  # as the file was called
    Column("kind", String(24), nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("patient_copy", Boolean, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("wanted_sha256", String(64), nullable=False),  # told at the beginning, or empty
    Column("sha256", String(64), nullable=False),  # of what is kept; empty until complete
    Column("made_by", ID, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("touched_ms", BigInteger, nullable=False),  # when something came last
    Column("complete_ms", BigInteger),
    Column("ready_ms", BigInteger),
    Column("media_type", String(64), nullable=False),
    Column("form", String(16), nullable=False),
    Column("pages", Integer, nullable=False),
    Column("details", JSON, nullable=False),
    Column("patients", JSON, nullable=False),  # whom its DICOM files name
    Column("page_order", Text, nullable=False),  # the decoder's own
    Column("refused", String(48), nullable=False),
    Column("scan", String(16), nullable=False),
    Column("scanned_ms", BigInteger),
    Column("withdrawn_by", ID, nullable=False),
    Column("withdrawn_ms", BigInteger),
    Column("withdrawn_reason", String(24), nullable=False),
    Column("withdrawn_words", Text, nullable=False),
    Column("destroy", Boolean, nullable=False),
    Column("destroyed_ms", BigInteger),
    Column("side", String(12), nullable=False, default="referring", server_default="referring"),
    Column("site_id", ID, nullable=False, default="", server_default="", index=True),  # of who brought it
    Column("shared_ms", BigInteger),
    UniqueConstraint("made_by", "request"),
)

# What an upload has kept so far: the only truth about which sealed files belong to a document.
document_parts = Table(
    "document_parts",
    METADATA,
    Column("document_id", ID, ForeignKey("documents.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("start", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("file", ID, nullable=False),
)

# With which documents a version of a referral was submitted. Only ever inserted.
referral_documents = Table(
    "referral_documents",
    METADATA,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("document_id", ID, ForeignKey("documents.id"), primary_key=True),
    Column("sha256", HASH, nullable=False),
)
