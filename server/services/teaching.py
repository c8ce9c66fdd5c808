"""Teaching with a recording, by the patient's consent: asked for, and taken away again when that goes.

The class `teaching` and files that are made for teaching ask here. What falls back is kept as it was before,
and nothing is destroyed for it.
"""

from __future__ import annotations

from server.domain.errors import Refused
from server.domain.person_consent import newest_of, state_of
from server.domain.retention import DEFAULT_CLASS, TEACHING
from server.domain.teaching import PURPOSE, may_teach
from server.services.context import Context
from server.services.dating import dated
from server.services.follow_up import legal_bases
from server.storage import audit, consultations, person_consents, retentions, sessions
from server.storage.database import Transaction
from server.storage.retentions import Kept


async def may_teach_with(tx: Transaction, recording: str) -> bool:
    """False for an unknown recording."""
    session = await sessions.by_id(tx, recording)
    consultation = await consultations.by_id(tx, session.consultation_id) if session else None
    if session is None or consultation is None:
        return False
    given = newest_of(await person_consents.of_case(tx, consultation.case_id)).get(PURPOSE)
    return may_teach(state_of(given, ()), await legal_bases(tx, session))


async def require_teaching(tx: Transaction, recording: str) -> None:
    """Raises Refused `teaching_missing`."""
    if not await may_teach_with(tx, recording):
        raise Refused("teaching_missing")


async def fall_back_of(
    tx: Transaction, context: Context, case_id: str, account: str | None, address: str
) -> None:
    """Of the case's recordings those that are kept for teaching and may not be."""
    for row in await retentions.of_case(tx, case_id):
        await fall_back(tx, context, row, account, address)


async def fall_back(
    tx: Transaction, context: Context, row: Kept, account: str | None = None, address: str = ""
) -> bool:
    """Whether it fell back to the class it had before."""
    if row.klass != TEACHING or row.standing.gone or await may_teach_with(tx, row.recording_id):
        return False
    klass = row.before_teaching or DEFAULT_CLASS
    await dated(tx, context, row, klass, row.extended_years)
    entry = audit.Entry(
        "retention_classed", "recording", row.recording_id, address, account_id=account, case_id=row.case_id,
        detail={"class": klass, "before": TEACHING, "reason": "teaching_missing"},
    )  # fmt: skip
    await audit.append(tx, context.now_ms(), entry)
    return True
