"""Retention in the books: how long each recording is kept, legal holds, what is due. It destroys nothing.

Use cases only: who may is asked before; the rules are `server/domain/retention.py`, the doing is
`server/runtime/destruction.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.domain.errors import Refused
from server.domain.retention import (
    CLASS_REASONS,
    DAY_MS,
    EXTENSION_REASONS,
    HOLD_REASONS,
    LIFT_REASONS,
    TEACHING,
    Verdict,
    checked_extension,
    class_of,
    is_overdue,
    verdict,
    years_of,
)
from server.services.context import Context
from server.services.dating import dated
from server.services.document_retention import DocumentRetention
from server.services.teaching import fall_back, require_teaching
from server.storage import audit, cases, destructions, holds, retentions
from server.storage.database import Transaction
from server.storage.destructions import Destruction
from server.storage.holds import Hold
from server.storage.ids import new_id
from server.storage.retentions import Kept

RUN_MARK = "retention"
MOST_CASES = 500


class Retention:
    def __init__(self, context: Context) -> None:
        self._context = context
        self.documents = DocumentRetention(context)

    def now_ms(self) -> int:
        """The clock of these books."""
        return self._context.now_ms()

    # --- holds -------------------------------------------------------------------------------------------

    async def hold(self, case_id: str, reason: str, by: str, address: str) -> Hold:
        """Nothing of the case is destroyed from now on. Raises Refused `not_found`, `bad_request`."""
        if reason not in HOLD_REASONS:
            raise Refused("bad_request")
        made = Hold(new_id(), case_id, reason, by, self._context.now_ms())
        async with self._context.database.write() as tx:
            if await cases.by_id(tx, case_id) is None:
                raise Refused("not_found")
            await holds.add(tx, made)
            await self._note(tx, "hold_set", "hold", made.id, case_id, by, address, {"reason": reason})
        return made

    async def lift(self, hold_id: str, reason: str, by: str, address: str) -> Hold:
        """What it kept from going goes at the next run.

        Raises Refused `not_found`, `not_held`, `bad_request`.
        """
        if reason not in LIFT_REASONS:
            raise Refused("bad_request")
        async with self._context.database.write() as tx:
            found = await holds.by_id(tx, hold_id)
            if found is None:
                raise Refused("not_found")
            if not await holds.lift(tx, hold_id, by, reason, self._context.now_ms()):
                raise Refused("not_held")
            await self._note(
                tx, "hold_lifted", "hold", hold_id, found.case_id, by, address, {"reason": reason}
            )
        return found

    # --- periods -----------------------------------------------------------------------------------------

    async def classify(self, recording: str, klass: str, reason: str, by: str, address: str) -> int | None:
        """Give it another class; the end of its period.

        Raises Refused `not_found`, `bad_request`, `teaching_missing` (the patient has not agreed to that).
        """
        class_of(klass)
        if reason not in CLASS_REASONS:
            raise Refused("bad_request")
        async with self._context.database.write() as tx:
            kept = await self._there(tx, recording)
            if klass == TEACHING:
                await require_teaching(tx, recording)
            until_ms = await dated(tx, self._context, kept, klass, kept.extended_years)
            detail = {"class": klass, "before": kept.klass, "reason": reason}
            await self._note(
                tx, "retention_classed", "recording", recording, kept.case_id, by, address, detail
            )
        return until_ms

    async def extend(self, recording: str, years: int, reason: str, by: str, address: str) -> int | None:
        """Keep longer, once. Raises Refused `not_found`, `extension_spent`, `bad_request`."""
        if reason not in EXTENSION_REASONS:
            raise Refused("bad_request")
        async with self._context.database.write() as tx:
            kept = await self._there(tx, recording)
            more = checked_extension(kept.klass, kept.extended_years, years)
            until_ms = await dated(tx, self._context, kept, kept.klass, more)
            detail: dict[str, int | str] = {"years": more, "reason": reason}
            await self._note(
                tx, "retention_extended", "recording", recording, kept.case_id, by, address, detail
            )
        return until_ms

    async def reckon(self, *, everything: bool = False) -> int:
        """Date recordings whose session has ended since; with `everything` all: a setting may differ, or what
        a patient agreed to count no more.
        """
        async with self._context.database.read() as tx:
            rows = await (retentions.everything(tx) if everything else retentions.undated(tx))
        changed = 0
        for row in rows:
            if row.standing.gone or row.ended_ms is None:
                continue
            async with self._context.database.write() as tx:
                if everything and await fall_back(tx, self._context, row):
                    changed += 1
                    continue
                until_ms = await dated(tx, self._context, row, row.klass, row.extended_years)
            changed += until_ms != row.standing.kept_until_ms
        return changed

    async def due(self, now_ms: int) -> list[Kept]:
        """What has to go now: over, and not held."""
        async with self._context.database.read() as tx:
            rows = await retentions.until(tx, now_ms)
        return [row for row in rows if verdict(row.standing, now_ms) is Verdict.DUE]

    async def expire(self, row: Kept) -> bool:
        """Ask for the destruction of a recording whose period is over; False if it was asked for before."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            again = await retentions.get(tx, row.recording_id)
            if again is None or verdict(again.standing, now_ms) is not Verdict.DUE:
                return False
            if await destructions.get(tx, row.recording_id) is not None:
                return False
            asked = Destruction(
                new_id(),
                row.recording_id,
                destructions.WHOLE,
                row.case_id,
                "expired",
                f"period_{row.klass}",
                "",
                False,
                now_ms,
                destructions.REQUESTED,
                {},
            )
            await destructions.add(tx, asked)
            detail = {"class": row.klass}
            await self._note(
                tx, "retention_expired", "recording", row.recording_id, row.case_id, "", "", detail
            )
        return True

    # --- what people are shown ---------------------------------------------------------------------------

    async def overview(self) -> dict[str, Any]:
        """The privacy officer's page: what goes when, what is held, what waits. No clinical content."""
        now_ms = self._context.now_ms()
        warn_days = self._context.settings.retention_warn_days
        async with self._context.database.read() as tx:
            rows = await retentions.until(tx, now_ms + warn_days * DAY_MS)
            standing = await holds.active(tx)
            labels = await cases.all_by_id(tx, {hold.case_id for hold in standing})
            waiting = await destructions.unfinished(tx)
            known = await retentions.cases_with_recordings(tx, MOST_CASES)
            last_run_ms = await retentions.marked(tx, RUN_MARK)
            zones = {row.recording_id: await retentions.zones_of(tx, row.consultation_id) for row in rows}
        return {
            "now_ms": now_ms,
            "warn_days": warn_days,
            "last_run_ms": last_run_ms,
            "documents": await self.documents.upcoming(now_ms, warn_days),
            "upcoming": [self._told(row, now_ms) | {"zones": zones[row.recording_id]} for row in rows],
            "holds": [
                {
                    "id": hold.id,
                    "case_id": hold.case_id,
                    "case_label": labels[hold.case_id].label,
                    "reason": hold.reason,
                    "set_ms": hold.set_ms,
                }
                for hold in standing
            ],
            "cases": known,
            "waiting": [
                {"recording": row.recording_id, "case_id": row.case_id, "requested_ms": row.requested_ms}
                for row in waiting
                if row.cause == "withdrawn"
            ],
        }

    async def listed(self) -> list[dict[str, Any]]:
        """Every recording with where it stands (the command line)."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            return [self._told(row, now_ms) for row in await retentions.everything(tx)]

    def _told(self, row: Kept, now_ms: int) -> dict[str, Any]:
        return {
            "recording": row.recording_id,
            "case_id": row.case_id,
            "case_label": row.case_label,
            "class": row.klass,
            "years": years_of(row.klass, self._context.settings.retention_years),
            "extended_years": row.extended_years,
            "started_at_ms": row.started_ms,
            "kept_until_ms": row.standing.kept_until_ms,
            "state": str(verdict(row.standing, now_ms, self._context.settings.retention_warn_days)),
        }

    async def counts(self) -> dict[str, float]:
        """For /metrics: numbers only."""
        now_ms = self._context.now_ms()
        due, late = await self.documents.counts()
        async with self._context.database.read() as tx:
            over = await retentions.until(tx, now_ms)
            return {
                "hyeopjin_retention_documents_due": float(due),
                "hyeopjin_retention_holds": float(len(await holds.active(tx))),
                "hyeopjin_retention_due": float(
                    sum(verdict(row.standing, now_ms) is Verdict.DUE for row in over)
                ),
                "hyeopjin_retention_overdue": float(
                    late + sum(is_overdue(row.standing, now_ms) for row in over)
                ),
                "hyeopjin_destructions_waiting": float(len(await destructions.unfinished(tx))),
                "hyeopjin_destructions_done": float(await destructions.count(tx, destructions.DONE)),
                "hyeopjin_retention_last_run_seconds": (await retentions.marked(tx, RUN_MARK) or 0) / 1000,
            }

    # --- inside ------------------------------------------------------------------------------------------

    async def _there(self, tx: Transaction, recording: str) -> Kept:
        kept = await retentions.get(tx, recording)
        if (
            kept is None
            or kept.standing.gone
            or destructions.WHOLE in await destructions.blocked(tx, recording)
        ):
            raise Refused("not_found")
        return kept

    async def _note(
        self,
        tx: Transaction,
        action: str,
        kind: str,
        subject: str,
        case_id: str,
        by: str,
        address: str,
        detail: Mapping[str, int | str],
    ) -> None:
        entry = audit.Entry(
            action, kind, subject, address, account_id=by or None, case_id=case_id, detail=dict(detail)
        )
        await audit.append(tx, self._context.now_ms(), entry)
