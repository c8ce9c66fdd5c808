"""Consents of a patient by purpose, their own way to them, and what holds between two sites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.String(length=64)
HASH = sa.String(length=64)


def upgrade() -> None:
    op.create_table(
        "person_consents",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("sha256", HASH, nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.Column("by", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("drawing", sa.Text(), nullable=False),
        sa.Column("witness", sa.Text(), nullable=False),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("recorded_by", ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_person_consents_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_consents")),
    )
    op.create_index(op.f("ix_person_consents_case_id"), "person_consents", ["case_id"])
    op.create_table(
        "consent_witnesses",
        sa.Column("consent_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["person_consents.id"], name=op.f("fk_consent_witnesses_consent_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_consent_witnesses_account_id")
        ),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consent_witnesses")),
    )
    op.create_table(
        "consent_links",
        sa.Column("id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("code_hash", HASH, nullable=False),
        sa.Column("made_by", ID, nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_consent_links_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_links")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_consent_links_code_hash")),
    )
    op.create_index(op.f("ix_consent_links_case_id"), "consent_links", ["case_id"])
    _policies()
    with op.batch_alter_table("consents") as table:
        table.add_column(sa.Column("patient", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("texts", sa.JSON()))


def _policies() -> None:
    op.create_table(
        "site_policies",
        sa.Column("referring_site", ID, nullable=False),
        sa.Column("consulting_site", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seat_rule", sa.String(length=16), nullable=False),
        sa.Column("legal_basis", sa.String(length=24), nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["referring_site"], ["sites.id"], name=op.f("fk_site_policies_referring_site")
        ),
        sa.ForeignKeyConstraint(
            ["consulting_site"], ["sites.id"], name=op.f("fk_site_policies_consulting_site")
        ),
        sa.PrimaryKeyConstraint(
            "referring_site", "consulting_site", "version", name=op.f("pk_site_policies")
        ),
    )
    op.create_table(
        "session_policies",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("consulting_site", ID, nullable=False),
        sa.Column("referring_site", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seat_rule", sa.String(length=16), nullable=False),
        sa.Column("legal_basis", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_policies_session_id")),
        sa.PrimaryKeyConstraint("session_id", "consulting_site", name=op.f("pk_session_policies")),
    )


def downgrade() -> None:
    with op.batch_alter_table("consents") as table:
        table.drop_column("texts")
        table.drop_column("patient")
    for name in (
        "session_policies",
        "site_policies",
        "consent_links",
        "consent_witnesses",
        "person_consents",
    ):
        op.drop_table(name)
