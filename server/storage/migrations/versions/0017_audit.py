"""The audit's data subject, and a database that lets its rows neither be changed, deleted nor forked.

What was written before stays as it is in the chain (version 1). Break-glass and monthly reviews.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.String(length=64)
HASH = sa.String(length=64)

SQLITE = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
    "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    # INSERT OR REPLACE deletes without asking the trigger above.
    "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "
    "WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id OR hash = NEW.hash OR prev_hash = NEW.prev_hash) "
    "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER audit_follows BEFORE INSERT ON audit WHEN NEW.prev_hash <> "
    "COALESCE((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), hex(zeroblob(32))) "
    "BEGIN SELECT RAISE(ABORT, 'an audit entry follows the newest'); END",
)
POSTGRES = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$",
    "CREATE FUNCTION audit_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF NEW.prev_hash <> COALESCE((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), "
    "repeat('0', 64)) THEN RAISE EXCEPTION 'an audit entry follows the newest'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_follows BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_follow()",
)


def upgrade() -> None:
    op.add_column("audit", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("audit", sa.Column("patient_id", ID, nullable=True))
    op.create_index("uq_audit_prev_hash", "audit", ["prev_hash"], unique=True)
    for column in ("patient_id", "account_id", "at_ms", "action"):
        op.create_index(f"ix_audit_{column}", "audit", [column])
    op.create_table(
        "audit_marks",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("audit_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_audit_marks")),
    )
    _break_glass()
    _reviews()
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)


def _break_glass() -> None:
    op.create_table(
        "break_glass",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("patient_id", ID, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_break_glass_account_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_break_glass_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index(op.f("ix_break_glass_account_id"), "break_glass", ["account_id"])


def _reviews() -> None:
    op.create_table(
        "audit_reviews",
        sa.Column("id", ID, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("made_by", ID, nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("sha256", HASH, nullable=False),
        sa.Column("signed_by", ID, nullable=True),
        sa.Column("signed_ms", sa.BigInteger(), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_reviews")),
    )
    op.create_index(op.f("ix_audit_reviews_month"), "audit_reviews", ["month"])


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    names = ("no_update", "no_delete", "no_replace" if sqlite else "no_truncate", "follows")
    for name in names:
        op.execute(f"DROP TRIGGER audit_{name}" + ("" if sqlite else " ON audit"))
    if not sqlite:
        op.execute("DROP FUNCTION audit_refuse()")
        op.execute("DROP FUNCTION audit_follow()")
    for table in ("audit_reviews", "break_glass", "audit_marks"):
        op.drop_table(table)
    op.drop_index("uq_audit_prev_hash", "audit")
    for column in ("patient_id", "account_id", "at_ms", "action"):
        op.drop_index(f"ix_audit_{column}", "audit")
    op.drop_column("audit", "patient_id")
    op.drop_column("audit", "version")
