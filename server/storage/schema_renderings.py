"""Tables of what was said and rendered: pairs as found, and flags on renderings.

Rules of names and instants as in `schema.py`; it must not contain queries.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from server.storage.schema import ID, METADATA

pairings = Table(
    "pairings",
    METADATA,
    Column("recording_id", ID, ForeignKey("recordings.id"), primary_key=True),
    Column("generation", Integer, nullable=False),  # of the recording's tracks that it was found in
    Column("version", Integer, nullable=False),  # of the way it was found
    Column("body", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

rendering_flags = Table(
    "rendering_flags",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("recording_id", ID, ForeignKey("recordings.id"), nullable=False, index=True),
    Column("seat_id", ID, ForeignKey("seats.id"), nullable=False, index=True),  # whose rendering it is
    Column("from_ms", BigInteger, nullable=False),  # since the recording's start
    Column("to_ms", BigInteger, nullable=False),
    Column("source", String(8), nullable=False),
    Column("target", String(8), nullable=False),
    Column("comment", Text, nullable=False),
    Column("made_by", ID, ForeignKey("accounts.id"), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("answer", Text),
    Column("answered_by", ID),
    Column("answered_ms", BigInteger),
)
