"""What was said and rendered: pairs as found, and flags on renderings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "pairings",
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_pairings_recording_id")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_pairings")),
    )
    op.create_table(
        "rendering_flags",
        sa.Column("id", ID, nullable=False),
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("seat_id", ID, nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("target", sa.String(length=8), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", ID, nullable=True),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_rendering_flags_recording_id")
        ),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_rendering_flags_seat_id")),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name=op.f("fk_rendering_flags_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rendering_flags")),
    )
    op.create_index(op.f("ix_rendering_flags_recording_id"), "rendering_flags", ["recording_id"])
    op.create_index(op.f("ix_rendering_flags_seat_id"), "rendering_flags", ["seat_id"])


def downgrade() -> None:
    op.drop_table("rendering_flags")
    op.drop_table("pairings")
