"""Second steps of signing in, passkeys, providers; when a signed-in browser was last touched and proven."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.String(length=64)
TABLES = ("provider_subjects", "sign_in_steps", "passkeys", "recovery_codes", "totp_secrets")


def _account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id"))


def _by_account(table: str) -> None:
    op.create_index(op.f(f"ix_{table}_account_id"), table, ["account_id"], unique=False)


def upgrade() -> None:
    with op.batch_alter_table("account_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("second_step", sa.String(length=12), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("active_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("proved_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "totp_secrets",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("sealed", sa.String(length=255), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_ms", sa.BigInteger(), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=True),
        _account("totp_secrets"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_totp_secrets")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("hash", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        _account("recovery_codes"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("credential_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        _account("passkeys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_table(
        "sign_in_steps",
        sa.Column("holder_hash", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("holder_hash", "kind", name=op.f("pk_sign_in_steps")),
    )
    op.create_table(
        "provider_subjects",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        _account("provider_subjects"),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_provider_subjects")),
    )
    for table in ("recovery_codes", "passkeys", "provider_subjects"):
        _by_account(table)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    with op.batch_alter_table("account_sessions", schema=None) as batch_op:
        for name in ("second_step", "active_ms", "proved_ms"):
            batch_op.drop_column(name)
