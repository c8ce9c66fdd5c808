"""What is said beside the room: chat, the interpreter's opening, who is on the way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "chat_messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=True),
        sa.Column("seat_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.id"],
            name=op.f("fk_chat_messages_consultation_id"),
        ),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_chat_messages_session_id")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_chat_messages_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_messages")),
        sa.UniqueConstraint(
            "consultation_id",
            "seat_id",
            "client_id",
            name=op.f("uq_chat_messages_consultation_id_seat_id_client_id"),
        ),
    )
    op.create_index("ix_chat_messages_consultation_id_at_ms", "chat_messages", ["consultation_id", "at_ms"])
    op.create_table(
        "conduct_steps",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("seat_id", ID, nullable=False),
        sa.Column("step", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_conduct_steps_session_id")),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_conduct_steps_seat_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conduct_steps")),
        sa.UniqueConstraint(
            "session_id", "seat_id", "step", name=op.f("uq_conduct_steps_session_id_seat_id_step")
        ),
    )
    op.create_index(op.f("ix_conduct_steps_session_id"), "conduct_steps", ["session_id"])
    op.create_table(
        "arrivals",
        sa.Column("seat_id", ID, nullable=False),
        sa.Column("ready_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("said_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["seat_id"], ["seats.id"], name=op.f("fk_arrivals_seat_id")),
        sa.PrimaryKeyConstraint("seat_id", name=op.f("pk_arrivals")),
    )


def downgrade() -> None:
    op.drop_table("arrivals")
    op.drop_table("conduct_steps")
    op.drop_table("chat_messages")
