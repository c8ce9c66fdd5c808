"""Table of sites' self-tests. Conventions are in `schema.py`."""

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
    false,
)

from server.storage.schema import ID, METADATA

# Figures only: no sound and no picture is kept.
self_tests = Table(
    "self_tests",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("site_id", ID, ForeignKey("sites.id"), nullable=False),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("device", Text, nullable=False),  # as whoever made it names the computer, or a room of the site
    Column("away", Boolean, nullable=False, server_default=false()),  # not at the site, as they said
    Column("begun_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),  # null: under way, or given up
    Column("verdict", String(8)),  # green | amber | red
    Column("steps", JSON, nullable=False),  # step → {verdict, figures, findings}
    Column("lines", Integer, nullable=False, default=0),  # how often the media relay was asked for
    Column("line_until_ms", BigInteger, nullable=False, default=0),  # the latest end of the last of them
    Column("room", JSON(none_as_null=True)),  # on the relay now: {name, offers: {peer: [connection, offer]}}
    Index("ix_self_tests_site_id", "site_id", "begun_ms"),
)
