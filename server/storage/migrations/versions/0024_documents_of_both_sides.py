"""Documents are brought by both sides: whose each is, and since when the other one may have seen it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("side", sa.String(length=12), nullable=False, server_default="referring")
        )
        batch_op.add_column(sa.Column("site_id", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("shared_ms", sa.BigInteger(), nullable=True))
        batch_op.create_index(op.f("ix_documents_site_id"), ["site_id"], unique=False)
    op.execute(
        "UPDATE documents SET site_id = (SELECT cases.site_id FROM cases WHERE cases.id = documents.case_id)"
    )


def downgrade() -> None:
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_documents_site_id"))
        batch_op.drop_column("shared_ms")
        batch_op.drop_column("site_id")
        batch_op.drop_column("side")
