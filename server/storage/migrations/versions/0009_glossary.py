"""The glossary of a case, every state its terms have had, and when a term was shown in a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "glossary_terms",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("confirmed_by", ID, nullable=True),
        sa.Column("confirmed_ms", sa.BigInteger(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_glossary_terms_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_glossary_terms")),
    )
    op.create_index(op.f("ix_glossary_terms_case_id"), "glossary_terms", ["case_id"], unique=False)
    op.create_table(
        "glossary_versions",
        sa.Column("term_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("seat_id", ID, nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_glossary_versions_case_id")),
        sa.PrimaryKeyConstraint("term_id", "version", name=op.f("pk_glossary_versions")),
    )
    op.create_index(op.f("ix_glossary_versions_case_id"), "glossary_versions", ["case_id"], unique=False)
    op.create_table(
        "glossary_marks",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("term_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seat_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_glossary_marks_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_glossary_marks")),
    )
    op.create_index(
        "ix_glossary_marks_session_id_at_ms", "glossary_marks", ["session_id", "at_ms"], unique=False
    )


def downgrade() -> None:
    for table in ("glossary_marks", "glossary_versions", "glossary_terms"):
        op.drop_table(table)
