"""A session's recording may be paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paused_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("paused_by", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("pause_reason", sa.String(length=24), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        for name in ("paused_ms", "paused_by", "pause_reason"):
            batch_op.drop_column(name)
