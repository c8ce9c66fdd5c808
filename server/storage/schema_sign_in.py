"""Tables of signing in: mails about accounts with their one-time links, and asked resets. Conventions are in
`schema.py`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from server.storage.schema import HASH, ID, METADATA

account_mails = Table(
    "account_mails",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("kind", String(24), nullable=False),  # invitation | reset, or what was changed
    Column("token_hash", HASH, unique=True),  # of its link; made when the mail is, so it is nowhere before
    Column("state", String(12), nullable=False),  # as in `mails`
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_ms", BigInteger, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),  # of the link, and of the mail while it waits
    Column("used_ms", BigInteger),  # the link: used, or of no use any more
    Column("done_ms", BigInteger),
    Column("error", String(32)),
    Index("ix_account_mails_state_next_ms", "state", "next_ms"),
)

reset_requests = Table(
    "reset_requests",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("email", String(254), nullable=False),  # as it was typed: there may be no such account
    Column("address", String(64), nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
)
