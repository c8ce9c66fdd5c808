"""Tables of patients, referrals and what became of a case. Rules of names and instants as in `schema.py`.

`cases` itself keeps what lists show of the newest version; it must not contain queries.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from server.storage.schema import HASH, ID, METADATA

patients = Table(
    "patients",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("site_id", ID, ForeignKey("sites.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("birth_date", String(10), nullable=False),  # as in `person`; empty while unknown
    Column("person", JSON, nullable=False),  # server/domain/patient.py: as_json
    Column("distinct_from", JSON, nullable=False),  # ids that somebody found to be other people
    Column("replaced_by", ID),  # somebody said: registered twice, the other one stays
    Column("synthetic", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("ix_patients_site_id_birth_date", "site_id", "birth_date"),
)

# Every state a registration has had: a name corrected stays readable as it was.
patient_states = Table(
    "patient_states",
    METADATA,
    Column("patient_id", ID, ForeignKey("patients.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("person", JSON, nullable=False),
    Column("account_id", ID),
    Column("at_ms", BigInteger, nullable=False),
)

case_patients = Table(
    "case_patients",
    METADATA,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("patient_id", ID, ForeignKey("patients.id"), nullable=False, index=True),
)

referral_drafts = Table(
    "referral_drafts",
    METADATA,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("version", Integer, nullable=False),  # grows with every save
    Column("form", String(32), nullable=False),  # "oncology/1"
    Column("answers", JSON, nullable=False),  # {question: answer}, of other forms too: nothing typed is lost
    Column("stamps", JSON, nullable=False),  # {question: [version that wrote it, editor]}
    Column(
        "aside", JSON, nullable=False
    ),  # what two typed at once: [{id, question, answer, account_id, at_ms}]
    Column("based_on", Integer, nullable=False),  # number of the version it supersedes, 0: none
    Column("changed_by", ID, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

# Immutable: only ever inserted.
referral_versions = Table(
    "referral_versions",
    METADATA,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("form", String(32), nullable=False),
    Column("form_sha256", HASH, nullable=False),
    Column("answers", JSON, nullable=False),
    Column("person", JSON, nullable=False),  # the patient as registered then
    Column("patient_id", ID, nullable=False),
    Column("patient_version", Integer, nullable=False),
    Column("sha256", HASH, nullable=False),  # of all of this; the audit chain has it too
    Column("submitted_by", ID, nullable=False),
    Column("submitted_ms", BigInteger, nullable=False),
)

referral_answers = Table(
    "referral_answers",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),  # of the version that is answered
    Column("text", Text, nullable=False),
    Column("account_id", ID, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# What a signed-in browser seals its local copies with; 32 bytes as url-safe base64. Gone once it is revoked.
local_keys = Table(
    "local_keys",
    METADATA,
    Column("session_id", ID, ForeignKey("account_sessions.id"), primary_key=True),
    Column("key", String(64), nullable=False),
)

# What moved a case: the table of server/domain/life.py, as it happened.
case_events = Table(
    "case_events",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("move", String(24), nullable=False),
    Column("before", String(24), nullable=False),
    Column("after", String(24), nullable=False),
    Column("role", String(32), nullable=False),
    Column("account_id", ID),  # null: the room or the clock
    Column("reason", String(32), nullable=False),  # a code, or empty
    Column("questions", JSON, nullable=False),  # of the form: what a return asks for
    Column("words", Text, nullable=False),
    Column("number", Integer),  # of the referral's version, where it is about one
)
