"""What waits for somebody, counted where it lies: hours that went by, documents, invitations, reviews."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from server.domain.account_mail import INVITATION
from server.domain.consultation import Consultation
from server.domain.documents import State
from server.storage.accounts import NO_PASSWORD
from server.storage.consultations import consultation_of
from server.storage.database import Transaction
from server.storage.schema import accounts, cases, consultations
from server.storage.schema_audit import audit, audit_reviews
from server.storage.schema_documents import documents
from server.storage.schema_sign_in import account_mails, provider_subjects


@dataclass(frozen=True, slots=True)
class Held:
    """Documents of one case in one state."""

    case_id: str
    state: str
    count: int
    since_ms: int


@dataclass(frozen=True, slots=True)
class Invited:
    account_id: str
    sent_ms: int
    expires_ms: int


async def hours_of(tx: Transaction, case_ids: Collection[str]) -> dict[str, list[Consultation]]:
    """By case."""
    query = select(consultations).where(consultations.c.case_id.in_(list(case_ids)))
    found: dict[str, list[Consultation]] = {}
    for row in await tx.execute(query.order_by(consultations.c.starts_at_ms)):
        found.setdefault(row.case_id, []).append(consultation_of(row))
    return found


async def hours_since(
    tx: Transaction, states: Collection[str], since_ms: int
) -> dict[str, list[Consultation]]:
    """Of cases that stand so, by case: those that were not over before then."""
    query = (
        select(consultations)
        .join(cases, cases.c.id == consultations.c.case_id)
        .where(cases.c.state.in_(states), consultations.c.closes_at_ms >= since_ms)
    )
    found: dict[str, list[Consultation]] = {}
    for row in await tx.execute(query.order_by(consultations.c.starts_at_ms)):
        found.setdefault(row.case_id, []).append(consultation_of(row))
    return found


async def documents_by(tx: Transaction, account_id: str) -> list[Held]:
    """Of those that this account brought: what it has to say about, or to take back."""
    query = (
        select(documents.c.case_id, documents.c.state, func.count(), func.min(documents.c.touched_ms))
        .where(documents.c.made_by == account_id, documents.c.state.in_((State.CONFIRM, State.QUARANTINED)))
        .group_by(documents.c.case_id, documents.c.state)
        .order_by(documents.c.case_id, documents.c.state)
    )
    return [Held(*row) for row in await tx.execute(query)]


async def never_came(tx: Transaction) -> list[Invited]:
    """Invited, here, and without a way in: no password and no sign-in elsewhere. The first invited first."""
    elsewhere = select(provider_subjects.c.account_id)
    query = (
        select(accounts.c.id, func.max(account_mails.c.made_ms), func.max(account_mails.c.expires_ms))
        .join(account_mails, account_mails.c.account_id == accounts.c.id)
        .where(
            account_mails.c.kind == INVITATION,
            accounts.c.password_hash == NO_PASSWORD,
            accounts.c.disabled.is_(False),
            accounts.c.id.not_in(elsewhere),
        )
        .group_by(accounts.c.id)
        .order_by(func.max(account_mails.c.made_ms), accounts.c.id)
    )
    return [Invited(*row) for row in await tx.execute(query)]


async def is_reviewed(tx: Transaction, month: str, after_ms: int) -> bool:
    """Whether a review of the whole month, made after it, is signed."""
    query = select(audit_reviews.c.id).where(
        audit_reviews.c.month == month,
        audit_reviews.c.made_ms >= after_ms,
        audit_reviews.c.signed_by.is_not(None),
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def was_audited(tx: Transaction, before_ms: int) -> bool:
    """Whether there was anything to review before then."""
    first = (await tx.execute(select(audit.c.at_ms).order_by(audit.c.id).limit(1))).scalar_one_or_none()
    return first is not None and first < before_ms
