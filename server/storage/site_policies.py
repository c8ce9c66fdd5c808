"""What was decided for pairs of sites, and under which of it a session began."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, func, insert, select

from server.domain.site_policy import Pair, Policy, default
from server.storage.database import Transaction
from server.storage.schema import sessions
from server.storage.schema_consents import session_policies, site_policies


async def add(tx: Transaction, policy: Policy) -> None:
    """Raises sqlalchemy.exc.IntegrityError when there is this version."""
    await tx.execute(
        insert(site_policies).values(
            referring_site=policy.pair[0],
            consulting_site=policy.pair[1],
            version=policy.version,
            seat_rule=policy.seat_rule,
            legal_basis=policy.legal_basis,
            changed_by=policy.changed_by,
            changed_ms=policy.changed_ms,
        )
    )


async def history(tx: Transaction) -> list[Policy]:
    """Every decision, each pair's newest last."""
    query = select(site_policies).order_by(site_policies.c.version)
    return [_policy(row, row.changed_by, row.changed_ms) for row in (await tx.execute(query)).all()]


async def newest(tx: Transaction, pairs: Iterable[Pair]) -> list[Policy]:
    """What holds for each of these pairs now."""
    known = {policy.pair: policy for policy in await history(tx)}
    return [known.get(pair, default(pair)) for pair in pairs]


async def keep(tx: Transaction, session_id: str, policies: Iterable[Policy]) -> None:
    """The session begins under these."""
    for policy in policies:
        await tx.execute(
            insert(session_policies).values(
                session_id=session_id,
                referring_site=policy.pair[0],
                consulting_site=policy.pair[1],
                version=policy.version,
                seat_rule=policy.seat_rule,
                legal_basis=policy.legal_basis,
            )
        )


async def of_session(tx: Transaction, session_id: str) -> list[Policy]:
    """Empty for a session older than policies are."""
    query = select(session_policies).where(session_policies.c.session_id == session_id)
    return [_policy(row) for row in (await tx.execute(query)).all()]


async def running(tx: Transaction) -> dict[Pair, int]:
    """How many sessions that nobody ended keep a policy of each pair."""
    query = (
        select(session_policies.c.referring_site, session_policies.c.consulting_site, func.count().label("n"))
        .join(sessions, sessions.c.id == session_policies.c.session_id)
        .where(sessions.c.ended_ms.is_(None))
        .group_by(session_policies.c.referring_site, session_policies.c.consulting_site)
    )
    return {(row[0], row[1]): int(row.n) for row in (await tx.execute(query)).all()}


def _policy(row: Row[Any], changed_by: str = "", changed_ms: int = 0) -> Policy:
    pair = (row.referring_site, row.consulting_site)
    return Policy(pair, row.version, row.seat_rule, row.legal_basis, changed_by, changed_ms)
