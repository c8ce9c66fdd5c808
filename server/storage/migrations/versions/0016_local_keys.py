"""What seals copies in a signed-in browser: a key for each session, gone with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "local_keys",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["account_sessions.id"], name=op.f("fk_local_keys_session_id")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_local_keys")),
    )


def downgrade() -> None:
    op.drop_table("local_keys")
