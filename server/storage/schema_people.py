"""Licences of the people with accounts. Conventions are in `schema.py`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text

from server.storage.schema import ID, METADATA

# One a person: what was entered last. Whether it counts is on the account, where every request reads it.
licences = Table(
    "licences",
    METADATA,
    Column("account_id", ID, ForeignKey("accounts.id"), primary_key=True),
    Column("number", String(64), nullable=False),
    Column("country", String(2), nullable=False),
    Column("institution", Text, nullable=False),  # that gave it
    Column("expires", String(10)),  # the last day it holds; null: never
    Column("entered_by", ID, nullable=False),
    Column("entered_ms", BigInteger, nullable=False),
    Column("verified_by", ID),  # who saw it
    Column("verified_ms", BigInteger),
)
