"""Tables of signing in: mails about accounts with their one-time links, second steps, passkeys, providers.

Conventions are in `schema.py`.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

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

totp_secrets = Table(
    "totp_secrets",
    METADATA,
    Column("account_id", ID, ForeignKey("accounts.id"), primary_key=True),
    Column("sealed", String(255), nullable=False),  # under a key beside the database, not in it
    Column("made_ms", BigInteger, nullable=False),
    Column("confirmed_ms", BigInteger),  # null: shown, and no code of it was seen yet
    Column("counter", BigInteger),  # of the last code taken: each is taken once
)

recovery_codes = Table(
    "recovery_codes",
    METADATA,
    Column("hash", HASH, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("made_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

passkeys = Table(
    "passkeys",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("credential_id", Text, nullable=False, unique=True),  # base64url, as browsers say it
    Column("public_key", Text, nullable=False),  # COSE, base64url
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(64), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
)

sign_in_steps = Table(
    "sign_in_steps",
    METADATA,
    Column("holder_hash", HASH, primary_key=True),  # of the browser's cookie, or of its session's id
    Column("kind", String(16), primary_key=True),  # code | passkey | new_passkey | provider
    Column("account_id", ID),
    Column("data", JSON, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
)

provider_subjects = Table(
    "provider_subjects",
    METADATA,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("account_id", ID, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("made_ms", BigInteger, nullable=False),
)
