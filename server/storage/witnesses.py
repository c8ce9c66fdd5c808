"""What the books can witness of a session that its journal may have lost: when epochs began, who was there.

It tells only of people who had agreed to be recorded: nothing of anybody else was ever to be stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import chain_heads, consents, session_notes, sessions

_EPOCH = "epoch:"
_SAID = ("silenced", "unsilenced", "renders", "floor:hand", "grant_given", "grant_taken")
_OF_OTHERS = ("step_out", "step_in", *_SAID)
"""What others did about a seat: no proof that anybody sat there."""
_HERE, _AWAY = ("joined", "back", "replaced"), "away"


def epoch_note(epoch: int) -> str:
    """The line of a session's time line that says when an epoch was handed out."""
    return f"{_EPOCH}{epoch}"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Unix ms. `begun`: epochs of which no worker ever told a head, and since when they were to record;
    `present_until_ms`: the last that was heard of anybody who may be recorded, 0 if nothing was.
    """

    begun: dict[int, int]
    present_until_ms: int


async def witnessed_in(tx: AsyncConnection, recording: str) -> Witnessed:
    """As a transaction sees it."""
    of_session = select(sessions.c.consultation_id).where(sessions.c.id == recording).scalar_subquery()
    agreed = (
        select(consents.c.seat_id, func.min(consents.c.at_ms))
        .where(consents.c.consultation_id == of_session)
        .where(consents.c.purpose == "recording", consents.c.decision == "granted")
        .group_by(consents.c.seat_id)
    )
    since = {row[0]: int(row[1]) for row in (await tx.execute(agreed)).all()}
    if not since:
        return Witnessed({}, 0)
    told = select(chain_heads.c.epoch).where(chain_heads.c.recording_id == recording).distinct()
    known = set((await tx.execute(told)).scalars().all())
    query = select(session_notes).where(session_notes.c.session_id == recording)
    notes = (await tx.execute(query.order_by(session_notes.c.id))).all()
    begun: dict[int, int] = {}
    until = 0
    away: set[str] = set()
    for row in notes:
        if row.what in _OF_OTHERS:
            continue
        if row.what.startswith(_EPOCH):
            epoch = int(row.what.removeprefix(_EPOCH))
            if epoch not in known:
                begun[epoch] = max(row.at_ms, min(since.values()))
        elif row.seat_id in since and row.at_ms >= since[row.seat_id]:
            away -= {row.seat_id} if row.what in _HERE else set()
            if row.seat_id not in away:  # who went away is noted as having left some time later
                until = max(until, row.at_ms)
            away |= {row.seat_id} if row.what == _AWAY else set()
    return Witnessed(begun, until)
