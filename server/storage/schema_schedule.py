"""Tables of the schedule: who works when and what is booked. Conventions are in `schema.py`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from server.storage.schema import HASH, ID, METADATA

# Whose: an account's, a site's (for everybody and every room there without hours of their own) or a room's.
working_hours = Table(
    "working_hours",
    METADATA,
    Column("owner_id", ID, primary_key=True),
    Column("days", JSON, nullable=False),  # seven lists of [from, to], minutes since local midnight
    Column("time_zone", String(64)),  # who works elsewhere than their site; null: the site's
    Column("changed_ms", BigInteger, nullable=False),
)

# Local, because "away on Monday" follows the clock on the wall even where its offset is changed afterwards.
absences = Table(
    "absences",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("owner_id", ID, nullable=False, index=True),  # a site's: closed that day
    Column("from_local", String(16), nullable=False),  # 2026-12-01T00:00
    Column("to_local", String(16), nullable=False),  # not included
    Column("made_by", ID, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
)

site_rooms = Table(
    "site_rooms",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("site_id", ID, ForeignKey("sites.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("closed", Boolean, nullable=False, default=False),
)

interpreters = Table(
    "interpreters",
    METADATA,
    Column("account_id", ID, ForeignKey("accounts.id"), primary_key=True),
    Column("pairs", JSON, nullable=False),  # [["ko", "ru"], …], each in the alphabet's order
    Column("fields", JSON, nullable=False),  # specialties they are certified for
)

# The agreed hour of a consultation; one that `demo` made has none.
appointments = Table(
    "appointments",
    METADATA,
    Column("consultation_id", ID, ForeignKey("consultations.id"), primary_key=True),
    Column("ends_at_ms", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False),  # RFC 5546: grows with every change people are told of
    Column("state", String(12), nullable=False),  # booked | cancelled | no_show
    Column("languages", JSON),  # the pair that is interpreted; null: they share a language
    Column("booked_by", ID, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("side", String(24)),  # on whose behalf it was moved or called off last
    Column("reason", String(24)),
    Column("missing", JSON),  # ids of the seats that nobody came to
)

# Before the hour began. It goes when the hour is moved: that is another question.
declined_seats = Table(
    "declined_seats",
    METADATA,
    Column("seat_id", ID, ForeignKey("seats.id"), primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

bookings = Table(
    "bookings",
    METADATA,
    Column("consultation_id", ID, ForeignKey("consultations.id"), primary_key=True),
    Column("resource_id", ID, primary_key=True),  # an account or a room of a site
    Column("kind", String(32), nullable=False),  # the role, or "room"
    Index("ix_bookings_resource_id", "resource_id"),
)

# A row for each quarter of an hour that a resource is taken: the key is what makes double booking impossible.
booked_quarters = Table(
    "booked_quarters",
    METADATA,
    Column("resource_id", ID, primary_key=True),
    Column("quarter", Integer, primary_key=True),  # quarters of an hour since 1970, UTC
    Column("consultation_id", ID, ForeignKey("consultations.id"), nullable=False, index=True),
)

# A request that is sent again (a lost answer, a second tap) is answered again, not done again.
schedule_requests = Table(
    "schedule_requests",
    METADATA,
    Column("id", ID, primary_key=True),  # of account and the page's own number
    Column("digest", HASH, nullable=False),  # of what was asked
    Column("consultation_id", ID, ForeignKey("consultations.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
