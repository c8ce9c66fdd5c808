"""What another class or an extension would make of each recording of a case: dates before anything changes.

It reads only; no clinical content. The change itself is `server/services/retention.py`.
"""

from __future__ import annotations

from typing import Any

from server.domain.retention import TEACHING, Verdict, class_of, classes, kept_until, verdict, years_of
from server.services.context import Context
from server.services.teaching import may_teach_with
from server.storage import retentions
from server.storage.retentions import Kept


async def periods_of(context: Context, case_id: str) -> dict[str, Any]:
    """`{now_ms, recordings: [...]}`, newest first: for each class and each possible extension its end."""
    now_ms = context.now_ms()
    async with context.database.read() as tx:
        rows = await retentions.of_case(tx, case_id)
        zones = {row.recording_id: await retentions.zones_of(tx, row.consultation_id) for row in rows}
        taught = {row.recording_id: await may_teach_with(tx, row.recording_id) for row in rows}
    return {
        "now_ms": now_ms,
        "recordings": [
            _told(context, row, zones[row.recording_id], now_ms, taught[row.recording_id]) for row in rows
        ],
    }


def _told(context: Context, row: Kept, zones: list[str], now_ms: int, taught: bool) -> dict[str, Any]:
    longer = context.settings.retention_years
    state = verdict(row.standing, now_ms, context.settings.retention_warn_days)

    def until(klass: str, extended: int) -> int | None:
        years = years_of(klass, longer) + extended
        return None if row.ended_ms is None else kept_until(row.ended_ms, years, zones)

    may_extend = not row.extended_years and state is not Verdict.GONE
    return {
        "recording": row.recording_id,
        "started_at_ms": row.started_ms,
        "class": row.klass,
        "extended_years": row.extended_years,
        "kept_until_ms": row.standing.kept_until_ms,
        "zones": zones,
        "state": str(state),
        "classes": [
            {
                "name": name,
                "years": years_of(name, longer) + row.extended_years,
                "kept_until_ms": until(name, row.extended_years),
                "agreed": name != TEACHING or taught,
            }
            for name in classes()
        ],
        "extensions": [
            {"years": years, "kept_until_ms": until(row.klass, years)}
            for years in range(1, class_of(row.klass).years + 1)
            if may_extend
        ],
    }
