"""What patients decided, witnesses of what was read aloud, and the codes of their own way in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from server.domain.person_consent import Given, Places
from server.storage.database import Transaction
from server.storage.schema_consents import consent_links, consent_witnesses, person_consents


@dataclass(frozen=True, slots=True)
class Link:
    id: str
    case_id: str
    made_by: str
    expires_ms: int


async def add(tx: Transaction, given: Given) -> None:
    values = asdict(given)
    del values["witnessed_by"], values["witnessed_ms"]
    await tx.execute(insert(person_consents).values(**values))


async def add_witness(tx: Transaction, consent_id: str, account_id: str, at_ms: int) -> None:
    await tx.execute(
        insert(consent_witnesses).values(consent_id=consent_id, account_id=account_id, at_ms=at_ms)
    )


async def of_case(tx: Transaction, case_id: str) -> list[Given]:
    """All of them, the oldest first."""
    query = (
        select(
            person_consents,
            consent_witnesses.c.account_id.label("witnessed_by"),
            consent_witnesses.c.at_ms.label("witnessed_ms"),
        )
        .outerjoin(consent_witnesses, consent_witnesses.c.consent_id == person_consents.c.id)
        .where(person_consents.c.case_id == case_id)
        .order_by(person_consents.c.at_ms, person_consents.c.id)
    )
    return [_given(row) for row in (await tx.execute(query)).all()]


async def add_link(tx: Transaction, link: Link, code_hash: str, now_ms: int) -> None:
    """The case's newest; those before are dead."""
    await tx.execute(
        update(consent_links)
        .where(consent_links.c.case_id == link.case_id, consent_links.c.revoked_ms.is_(None))
        .values(revoked_ms=now_ms)
    )
    await tx.execute(insert(consent_links).values(**asdict(link), code_hash=code_hash, made_ms=now_ms))


async def link_by_code(tx: Transaction, code_hash: str, now_ms: int) -> Link | None:
    """The live link of this code."""
    query = select(consent_links).where(
        consent_links.c.code_hash == code_hash,
        consent_links.c.revoked_ms.is_(None),
        consent_links.c.expires_ms > now_ms,
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else Link(row.id, row.case_id, row.made_by, row.expires_ms)


def _given(row: Row[Any]) -> Given:
    values = dict(row._mapping)
    values["witnessed_by"] = values["witnessed_by"] or ""
    told = row.places
    values["places"] = Places(
        told["clinic"],
        tuple(told["recipients"]),
        tuple(told["countries"]),
        told["years"],
        tuple(told["recipient_ids"]),
    )
    return Given(**values)
