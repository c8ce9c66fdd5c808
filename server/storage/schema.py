"""Every table of the database, as SQLAlchemy Core.

Instants are integer Unix milliseconds UTC and end in `_ms`. Ids are opaque url-safe strings; only the
audit chain is numbered. Secrets are kept as SHA-256 hex (tokens, cookies) or argon2id (passwords).
It must not contain queries: those live in one repository per aggregate beside this file.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
HASH = String(64)

sites = Table(
    "sites",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("country", String(2), nullable=False),
    Column("address", Text, nullable=False, default="", server_default=""),
    Column("languages", JSON, nullable=False, default=list, server_default="[]"),  # spoken there
    Column(
        "emergency", String(32), nullable=False, default="", server_default=""
    ),  # the number dialled there
)

accounts = Table(
    "accounts",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),  # lower case
    Column("password_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("site_id", ID, ForeignKey("sites.id"), nullable=False),
    Column("roles", JSON, nullable=False),  # list of role names
    Column("verified", Boolean, nullable=False, default=False),  # licence checked
    Column("verified_until_ms", BigInteger),  # when that licence expires
    Column("disabled", Boolean, nullable=False, default=False),
    Column("left_ms", BigInteger),  # since when; null for who is here, and who was disabled by command
)

account_sessions = Table(
    "account_sessions",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("token_hash", HASH, nullable=False, unique=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("agent", String(200), nullable=False, default=""),
    Column("second_step", String(12), nullable=False, default="", server_default=""),
    Column("active_ms", BigInteger),
    Column("proved_ms", BigInteger),
)

cases = Table(
    "cases",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("label", Text, nullable=False),  # a number for people to say aloud, nothing of the patient
    Column("site_id", ID, ForeignKey("sites.id"), nullable=False),  # the referring site
    Column("specialty", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("patient", JSON, nullable=False),  # {name, birth_date, sex, synthetic}
    Column("state", String(24), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

case_people = Table(
    "case_people",
    METADATA,
    Column("case_id", ID, ForeignKey("cases.id"), primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), primary_key=True),
    Column("relation", String(16), primary_key=True),  # invited | follows
)

consultations = Table(
    "consultations",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),  # scheduled | live | ended | cancelled
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("opens_at_ms", BigInteger, nullable=False),
    Column("closes_at_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
)

seats = Table(
    "seats",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("consultation_id", ID, ForeignKey("consultations.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),  # order in the room; decides who chairs among equals
    Column("role", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("language", String(16), nullable=False),  # "ru" or, for an interpreter, "ru/ko"
    Column("site_id", ID, ForeignKey("sites.id"), nullable=False),
    Column("account_id", ID, ForeignKey("accounts.id")),
    Column("token_hash", HASH),
    Column("token_state", String(8), nullable=False, default="unused"),  # unused | taken | dead
)

seat_credentials = Table(
    "seat_credentials",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("seat_id", ID, ForeignKey("seats.id"), nullable=False, index=True),
    Column("hash", HASH, nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    # Taken by a signed-in account: the credential falls with this account session.
    Column("account_session_id", ID, ForeignKey("account_sessions.id"), index=True),
)

knocks = Table(
    "knocks",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("seat_id", ID, ForeignKey("seats.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("hash", HASH, nullable=False, unique=True),  # of the knocker's own cookie
    Column("state", String(10), nullable=False),  # waiting | admitted | refused | used
    Column("created_ms", BigInteger, nullable=False),
    Column("answered_by", ID),  # seat id
)

consents = Table(
    "consents",
    METADATA,
    Column("id", ID, primary_key=True),  # the grant id that travels to the media plane
    Column("consultation_id", ID, ForeignKey("consultations.id"), nullable=False),
    Column("seat_id", ID, ForeignKey("seats.id"), nullable=False),
    Column("purpose", String(16), nullable=False),  # recording
    Column("decision", String(10), nullable=False),  # granted | declined
    Column("persons", JSON, nullable=False),  # names of everybody at the seat
    Column("version", String(32), nullable=False),
    Column("language", String(8), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    # Whether the case's patient is one of them, and {purpose: [version, language, sha256]} of what each read.
    Column("patient", Boolean, nullable=False, default=False, server_default=false()),
    Column("texts", JSON),
    Index("ix_consents_seat_id_at_ms", "seat_id", "at_ms"),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("consultation_id", ID, ForeignKey("consultations.id"), nullable=False, index=True),
    Column("epoch", Integer, nullable=False),  # the newest one handed out; only ever grows
    Column("started_ms", BigInteger, nullable=False),
    Column("emptied_ms", BigInteger),  # when the last seat left; null while somebody is in
    Column("ended_ms", BigInteger),
    Column("end_reason", String(24)),
    Column("paused_ms", BigInteger),  # since when the recording is paused; null while it is not
    Column("paused_by", ID),  # seat id
    Column("pause_reason", String(24)),
)

session_notes = Table(
    "session_notes",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("session_id", ID, ForeignKey("sessions.id"), nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("seat_id", ID),
)

recordings = Table(
    "recordings",
    METADATA,
    Column("id", ID, ForeignKey("sessions.id"), primary_key=True),
    Column("state", String(16), nullable=False),  # recording | finalising | ready | failed
    Column("generation", Integer, nullable=False, default=0),
    Column("epochs_finalised", Integer, nullable=False, default=0),
    Column("duration_ms", BigInteger),
    Column("index_json", Text),
    Column("error_code", String(48)),
    Column("updated_ms", BigInteger, nullable=False),
)

chain_heads = Table(
    "chain_heads",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("recording_id", ID, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("segment", Text, nullable=False),
    Column("seal_index", BigInteger, nullable=False),
    Column("hash", HASH, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("recording_id", "epoch", "segment", "seal_index"),
)

watch_spans = Table(
    "watch_spans",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("recording_id", ID, ForeignKey("recordings.id"), nullable=False, index=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

exports = Table(
    "exports",
    METADATA,
    Column("id", ID, primary_key=True),  # its key in the key store and its object go by this id
    Column("recording_id", ID, ForeignKey("recordings.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),  # film | clip | still | bundle
    Column("options", JSON, nullable=False),  # {layout, language, zone, from_ms, to_ms, track}
    Column("seats", JSON, nullable=False),  # ids of the seats it contains something of
    # queued | running | ready | failed | cancelled | destroyed
    Column("state", String(16), nullable=False),
    Column("object", Text),
    Column("bytes", BigInteger),
    Column("sha256", HASH),  # of the plaintext
    Column("error_code", String(48)),
    Column("made_by", ID, ForeignKey("accounts.id"), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Column("expires_ms", BigInteger),
)

retentions = Table(
    "retentions",
    METADATA,
    Column("recording_id", ID, ForeignKey("recordings.id"), primary_key=True),
    Column("class", String(24), nullable=False, key="klass"),
    Column("extended_years", Integer, nullable=False, default=0),
    Column("kept_until_ms", BigInteger, index=True),  # null while the session runs
    Column("before_teaching", String(24)),  # the class to fall back to
)

holds = Table(
    "holds",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("case_id", ID, ForeignKey("cases.id"), nullable=False, index=True),
    Column("reason", String(32), nullable=False),
    Column("set_by", ID, nullable=False),
    Column("set_ms", BigInteger, nullable=False),
    Column("lift_reason", String(32)),
    Column("lifted_by", ID),
    Column("lifted_ms", BigInteger),
)

destructions = Table(
    "destructions",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("recording_id", ID, nullable=False),
    Column("seat_id", ID, nullable=False, default=""),  # empty: the whole recording
    Column("case_id", ID, nullable=False, index=True),
    Column("cause", String(16), nullable=False),  # withdrawn | expired
    Column("reason", String(32), nullable=False),
    Column("requested_by", ID, nullable=False),  # account or seat; empty: the rules
    Column("on_behalf", Boolean, nullable=False, default=False),  # not by who sat there themselves
    Column("requested_ms", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),  # requested | begun | done
    Column("plan", JSON, nullable=False),  # what there was, noted before the first key went
    Column("destroyed_ms", BigInteger),
    Column("receipt", Text),
    Column("receipt_number", Integer, unique=True),
    Column("receipt_hash", HASH),
    Column("kind", String(12), nullable=False, default="media", server_default="media"),  # media | documents
    UniqueConstraint("recording_id", "seat_id"),
)

segment_copies = Table(
    "segment_copies",
    METADATA,
    Column("recording_id", ID, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("segment", String(96), primary_key=True),  # the file's name
    Column("size", BigInteger, nullable=False),
    Column("sha256", HASH, nullable=False),  # of what the object store gave back
    Column("at_ms", BigInteger, nullable=False),
)

journal_cleanings = Table(
    "journal_cleanings",
    METADATA,
    Column("recording_id", ID, ForeignKey("recordings.id"), primary_key=True),
    Column("generation", Integer, nullable=False),  # what was read back before anything went
    Column("began_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),  # null: under way; whoever comes next goes on
)

path_checks = Table(
    "path_checks",
    METADATA,
    Column("seat_id", ID, ForeignKey("seats.id"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("path", String(16), nullable=False),
    Column("udp", Boolean, nullable=False),
    Column("tcp", Boolean, nullable=False),
    Column("relay", Boolean),  # null: there is none to try
    Column("clock_ms", BigInteger, nullable=False),  # the page's clock less the server's
)

housekeeping = Table(
    "housekeeping",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)

telephones = Table(
    "telephones",
    METADATA,
    Column("id", ID, primary_key=True),  # a site's or an account's
    Column("number", String(32), nullable=False),
)

__all__ = [
    "METADATA",
    "account_sessions",
    "accounts",
    "case_people",
    "cases",
    "chain_heads",
    "consents",
    "consultations",
    "destructions",
    "exports",
    "holds",
    "housekeeping",
    "journal_cleanings",
    "knocks",
    "path_checks",
    "recordings",
    "retentions",
    "seat_credentials",
    "seats",
    "segment_copies",
    "session_notes",
    "sessions",
    "sites",
    "telephones",
    "watch_spans",
]
