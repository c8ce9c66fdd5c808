"""Lines of chat remember who had stepped out when they were said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("chat_messages", sa.Column("hidden_from", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("chat_messages", "hidden_from")
