"""Journals: segments with a confirmed copy in the object store, and journals that were cleaned away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segment_copies",
        sa.Column("recording_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("segment", sa.String(length=96), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", "epoch", "segment", name=op.f("pk_segment_copies")),
    )
    op.create_table(
        "journal_cleanings",
        sa.Column("recording_id", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_journal_cleanings_recording_id")
        ),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_journal_cleanings")),
    )


def downgrade() -> None:
    op.drop_table("journal_cleanings")
    op.drop_table("segment_copies")
