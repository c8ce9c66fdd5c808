"""Address, languages and emergency number of a site; licences of people, and how long they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "licences",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("expires", sa.String(length=10)),
        sa.Column("entered_by", ID, nullable=False),
        sa.Column("entered_ms", sa.BigInteger(), nullable=False),
        sa.Column("verified_by", ID),
        sa.Column("verified_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_licences_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_licences")),
    )
    op.add_column("sites", sa.Column("address", sa.Text(), nullable=False, server_default=""))
    op.add_column("sites", sa.Column("languages", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("sites", sa.Column("emergency", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("verified_until_ms", sa.BigInteger()))
    op.add_column("accounts", sa.Column("left_ms", sa.BigInteger()))


def downgrade() -> None:
    for column in ("left_ms", "verified_until_ms"):
        op.drop_column("accounts", column)
    for column in ("emergency", "languages", "address"):
        op.drop_column("sites", column)
    op.drop_table("licences")
