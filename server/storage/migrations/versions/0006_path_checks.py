"""How each seat's page last found its way to the media port."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "path_checks",
        sa.Column("seat_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(length=16), nullable=False),
        sa.Column("udp", sa.Boolean(), nullable=False),
        sa.Column("tcp", sa.Boolean(), nullable=False),
        sa.Column("relay", sa.Boolean(), nullable=True),
        sa.Column("clock_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_path_checks_seat_id")),
        sa.PrimaryKeyConstraint("seat_id", name=op.f("pk_path_checks")),
    )


def downgrade() -> None:
    op.drop_table("path_checks")
