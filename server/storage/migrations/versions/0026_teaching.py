"""What class a recording had before it was kept for teaching."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("retentions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("before_teaching", sa.String(length=24), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("retentions", schema=None) as batch_op:
        batch_op.drop_column("before_teaching")
