"""Tables of the programme's departments and of what was proposed for a case. Conventions: `schema.py`."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from server.storage.schema import HASH, ID, METADATA

departments = Table(
    "departments",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("site_id", ID, ForeignKey("sites.id"), nullable=False, index=True),  # the hospital
    Column("name", Text, nullable=False),
    Column("specialty", String(24), nullable=False),
    Column("places", JSON, nullable=False),  # ["orthopaedics/hand", …]
    Column("languages", JSON, nullable=False),
    Column("monthly", Integer, nullable=False),  # cases it takes in a month
    Column("closed", Boolean, nullable=False, default=False),  # takes no new ones
    Column("synthetic", Boolean, nullable=False, default=False),
)

department_physicians = Table(
    "department_physicians",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("department_id", ID, ForeignKey("departments.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("places", JSON, nullable=False),  # empty: all of the department's
    Column("languages", JSON, nullable=False),
    Column("account_id", ID, ForeignKey("accounts.id")),  # null: has not been given one yet
    Column("left", Boolean, nullable=False, default=False),
)

# As it was shown: reasons are message ids with arguments. Only decided once; another proposal may follow.
match_proposals = Table(
    "match_proposals",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False),
    Column("fingerprint", HASH, nullable=False),  # of what was read
    Column("rules", HASH, nullable=False),  # of the rules it was read by
    Column("found", JSON, nullable=False),  # {places, missing, red_flags, close}
    Column("ranked", JSON, nullable=False),
    Column("made_by", ID, ForeignKey("accounts.id"), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("department_id", ID, ForeignKey("departments.id")),
    Column("physician_id", ID, ForeignKey("department_physicians.id")),
    Column("why", String(16)),  # null although decided: the first of the list
    Column("note", Text, nullable=False, default=""),
    Column("decided_by", ID, ForeignKey("accounts.id")),
    Column("decided_ms", BigInteger),
    Index("ix_match_proposals_case_id_made_ms", "case_id", "made_ms"),
    Index("ix_match_proposals_department_id_decided_ms", "department_id", "decided_ms"),
)
