"""Patients, drafts and versions of referrals, answers in writing, and what moved a case."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = (
    "case_events",
    "referral_answers",
    "referral_versions",
    "referral_drafts",
    "case_patients",
    "patient_states",
    "patients",
)


def _id(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=64), nullable=nullable)


def _ms(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def upgrade() -> None:
    _patients()
    _referrals()
    op.create_table(
        "case_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        _id("case_id"),
        _ms("at_ms"),
        _text("move", 24),
        _text("before", 24),
        _text("after", 24),
        _text("role", 32),
        _id("account_id", nullable=True),
        _text("reason", 32),
        _json("questions"),
        sa.Column("words", sa.Text(), nullable=False),
        _number("number", nullable=True),
        _to("case_events", "case_id", "cases"),
        _key("case_events", "id"),
    )
    op.create_index(op.f("ix_case_events_case_id"), "case_events", ["case_id"], unique=False)


def _patients() -> None:
    op.create_table(
        "patients",
        _id("id"),
        _id("site_id"),
        _number("version"),
        _text("birth_date", 10),
        _json("person"),
        _json("distinct_from"),
        _id("replaced_by", nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        _ms("created_ms"),
        _ms("changed_ms"),
        _to("patients", "site_id", "sites"),
        _key("patients", "id"),
    )
    op.create_index("ix_patients_site_id_birth_date", "patients", ["site_id", "birth_date"], unique=False)
    op.create_table(
        "patient_states",
        _id("patient_id"),
        _number("version"),
        _json("person"),
        _id("account_id", nullable=True),
        _ms("at_ms"),
        _to("patient_states", "patient_id", "patients"),
        _key("patient_states", "patient_id", "version"),
    )
    op.create_table(
        "case_patients",
        _id("case_id"),
        _id("patient_id"),
        _to("case_patients", "case_id", "cases"),
        _to("case_patients", "patient_id", "patients"),
        _key("case_patients", "case_id"),
    )
    op.create_index(op.f("ix_case_patients_patient_id"), "case_patients", ["patient_id"], unique=False)


def _referrals() -> None:
    op.create_table(
        "referral_drafts",
        _id("case_id"),
        _number("version"),
        _text("form", 32),
        _json("answers"),
        _json("stamps"),
        _json("aside"),
        _number("based_on"),
        _id("changed_by"),
        _ms("changed_ms"),
        _to("referral_drafts", "case_id", "cases"),
        _key("referral_drafts", "case_id"),
    )
    op.create_table(
        "referral_versions",
        _id("case_id"),
        _number("number"),
        _text("form", 32),
        _text("form_sha256", 64),
        _json("answers"),
        _json("person"),
        _id("patient_id"),
        _number("patient_version"),
        _text("sha256", 64),
        _id("submitted_by"),
        _ms("submitted_ms"),
        _to("referral_versions", "case_id", "cases"),
        _key("referral_versions", "case_id", "number"),
    )
    op.create_table(
        "referral_answers",
        _id("id"),
        _id("case_id"),
        _number("number"),
        sa.Column("text", sa.Text(), nullable=False),
        _id("account_id"),
        _ms("at_ms"),
        _to("referral_answers", "case_id", "cases"),
        _key("referral_answers", "id"),
    )
    op.create_index(op.f("ix_referral_answers_case_id"), "referral_answers", ["case_id"], unique=False)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
