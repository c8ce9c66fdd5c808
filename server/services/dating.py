"""Writes down the class of a recording and the end of its period. Which class is decided before."""

from __future__ import annotations

from server.domain.retention import TEACHING, kept_until, years_of
from server.services.context import Context
from server.storage import retentions
from server.storage.database import Transaction
from server.storage.retentions import Kept


async def dated(tx: Transaction, context: Context, row: Kept, klass: str, extended: int) -> int | None:
    """The end; None while the session runs. What it was before teaching is kept, to fall back to."""
    until_ms = None
    if row.ended_ms is not None:
        years = years_of(klass, context.settings.retention_years) + extended
        until_ms = kept_until(row.ended_ms, years, await retentions.zones_of(tx, row.consultation_id))
    before = row.before_teaching if row.klass == TEACHING else row.klass
    await retentions.put(
        tx, row.recording_id, klass, extended, until_ms, before if klass == TEACHING else None
    )
    return until_ms
