"""Who works when, and what is booked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.String(length=64)


def upgrade() -> None:
    _calendars()
    _bookings()


def _calendars() -> None:
    op.create_table(
        "working_hours",
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("time_zone", ID, nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_working_hours")),
    )
    op.create_table(
        "absences",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("from_local", sa.String(length=16), nullable=False),
        sa.Column("to_local", sa.String(length=16), nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index(op.f("ix_absences_owner_id"), "absences", ["owner_id"], unique=False)
    op.create_table(
        "site_rooms",
        sa.Column("id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_rooms_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_rooms")),
    )
    op.create_index(op.f("ix_site_rooms_site_id"), "site_rooms", ["site_id"], unique=False)
    op.create_table(
        "interpreters",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("pairs", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_interpreters_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_interpreters")),
    )


def _bookings() -> None:
    op.create_table(
        "appointments",
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=True),
        sa.Column("booked_by", ID, nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("missing", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_appointments_consultation_id")
        ),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_appointments")),
    )
    op.create_table(
        "bookings",
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_bookings_consultation_id")
        ),
        sa.PrimaryKeyConstraint("consultation_id", "resource_id", name=op.f("pk_bookings")),
    )
    op.create_index("ix_bookings_resource_id", "bookings", ["resource_id"], unique=False)
    op.create_table(
        "booked_quarters",
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("quarter", sa.Integer(), nullable=False),
        sa.Column("consultation_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_booked_quarters_consultation_id")
        ),
        sa.PrimaryKeyConstraint("resource_id", "quarter", name=op.f("pk_booked_quarters")),
    )
    op.create_index(
        op.f("ix_booked_quarters_consultation_id"), "booked_quarters", ["consultation_id"], unique=False
    )
    op.create_table(
        "schedule_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", ID, nullable=False),
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.id"], name=op.f("fk_schedule_requests_consultation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_requests")),
    )


def downgrade() -> None:
    for table in (
        "schedule_requests",
        "booked_quarters",
        "bookings",
        "appointments",
        "interpreters",
        "site_rooms",
        "absences",
        "working_hours",
    ):
        op.drop_table(table)
