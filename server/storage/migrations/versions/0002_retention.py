"""Retention: how long a recording is kept, legal holds, what was destroyed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=64), nullable=nullable)


def _ms(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _create_retentions() -> None:
    op.create_table(
        "retentions",
        _id("recording_id"),
        sa.Column("class", sa.String(length=24), nullable=False),
        sa.Column("extended_years", sa.Integer(), nullable=False),
        _ms("kept_until_ms", nullable=True),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_retentions_recording_id")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_retentions")),
    )
    with op.batch_alter_table("retentions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_retentions_kept_until_ms"), ["kept_until_ms"], unique=False)


def _create_holds() -> None:
    op.create_table(
        "holds",
        _id("id"),
        _id("case_id"),
        sa.Column("reason", sa.String(length=32), nullable=False),
        _id("set_by"),
        _ms("set_ms"),
        sa.Column("lift_reason", sa.String(length=32), nullable=True),
        _id("lifted_by", nullable=True),
        _ms("lifted_ms", nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_holds_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holds_case_id"), ["case_id"], unique=False)


def _create_destructions() -> None:
    op.create_table(
        "destructions",
        _id("id"),
        _id("recording_id"),
        _id("seat_id"),
        _id("case_id"),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        _id("requested_by"),
        sa.Column("on_behalf", sa.Boolean(), nullable=False),
        _ms("requested_ms"),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        _ms("destroyed_ms", nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("receipt_number", sa.Integer(), nullable=True),
        sa.Column("receipt_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destructions")),
        sa.UniqueConstraint("receipt_number", name=op.f("uq_destructions_receipt_number")),
        sa.UniqueConstraint("recording_id", "seat_id", name=op.f("uq_destructions_recording_id_seat_id")),
    )
    with op.batch_alter_table("destructions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_destructions_case_id"), ["case_id"], unique=False)


def upgrade() -> None:
    _create_retentions()
    _create_holds()
    _create_destructions()
    op.create_table(
        "housekeeping",
        sa.Column("name", sa.String(length=32), nullable=False),
        _ms("at_ms"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_housekeeping")),
    )


def downgrade() -> None:
    for table in ("housekeeping", "destructions", "holds", "retentions"):
        op.drop_table(table)
