"""Sites' self-tests: figures and verdicts, no media."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "self_tests",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_ms", sa.BigInteger()),
        sa.Column("verdict", sa.String(length=8)),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("line_until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_self_tests_account_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_self_tests_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_tests")),
    )
    op.create_index(op.f("ix_self_tests_account_id"), "self_tests", ["account_id"])
    op.create_index("ix_self_tests_site_id", "self_tests", ["site_id", "begun_ms"])


def downgrade() -> None:
    op.drop_table("self_tests")
