"""Destructions are of recordings, or of a case's documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("destructions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=12), nullable=False, server_default="media"))


def downgrade() -> None:
    with op.batch_alter_table("destructions", schema=None) as batch_op:
        batch_op.drop_column("kind")
