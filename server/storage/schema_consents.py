"""Tables of what patients agreed to, of their own way to it, and of what holds between two sites.

Rules of names and instants as in `schema.py`; it must not contain queries. Decisions are only ever added.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, Table, Text

from server.storage.schema import HASH, ID, METADATA

person_consents = Table(
    "person_consents",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("purpose", String(24), nullable=False),
    Column("decision", String(10), nullable=False),  # granted | declined | withdrawn
    Column("version", Integer, nullable=False),  # of the text that was shown
    Column("language", String(8), nullable=False),
    Column("sha256", HASH, nullable=False),
    Column("places", JSON, nullable=False),  # what the text's holes were filled with
    Column("method", String(12), nullable=False),  # typed | drawn | read_aloud | paper
    Column("by", String(10), nullable=False),  # patient | guardian
    Column("name", Text, nullable=False),  # as typed by or for them
    Column("relation", Text, nullable=False),  # a guardian's
    Column("drawing", Text, nullable=False),  # path of a drawn name, or empty
    Column("witness", Text, nullable=False),  # named when it was read aloud
    Column("document_id", ID, nullable=False),  # the scanned paper, or empty
    Column("recorded_by", ID, nullable=False),  # account, seat or link
    Column("at_ms", BigInteger, nullable=False),
)

consent_witnesses = Table(
    "consent_witnesses",
    METADATA,
    Column("consent_id", ID, ForeignKey("person_consents.id"), primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# A patient's own way in, given by the site; only the code's hash is kept.
consent_links = Table(
    "consent_links",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("code_hash", HASH, nullable=False, unique=True),
    Column("made_by", ID, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

# What was decided for a pair of sites: the highest version holds, older ones stay.
site_policies = Table(
    "site_policies",
    METADATA,
    Column("referring_site", ID, ForeignKey("sites.id"), primary_key=True),
    Column("consulting_site", ID, ForeignKey("sites.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("seat_rule", String(16), nullable=False),
    Column("legal_basis", String(24), nullable=False),
    Column("changed_by", ID, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

# Under which of them a session began.
session_policies = Table(
    "session_policies",
    METADATA,
    Column("session_id", ID, ForeignKey("sessions.id"), primary_key=True),
    Column("consulting_site", ID, primary_key=True),
    Column("referring_site", ID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("seat_rule", String(16), nullable=False),
    Column("legal_basis", String(24), nullable=False),
)
