"""Until when the documents of each case are kept, and which are to go now: in the books. It destroys nothing.

The rules are `server/domain/document_period.py`, the doing is `server/runtime/document_destruction.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.domain.document_period import (
    EXPIRED,
    WITHDRAWN,
    CaseFacts,
    abroad_until_ms,
    is_kept,
    until_ms,
    was_abroad,
)
from server.domain.documents import Document
from server.domain.retention import DAY_MS, Standing, Verdict, is_overdue, verdict, years_of
from server.services.context import Context
from server.storage import audit, cases, destructions, document_periods, documents, holds
from server.storage.database import Transaction
from server.storage.destructions import DOCUMENTS, REQUESTED, Destruction
from server.storage.ids import new_id

TRANSFER: Final = document_periods.TRANSFER


@dataclass(frozen=True, slots=True)
class Ending:
    """Documents of one case that are to go, and why: `cause` expired or withdrawn, `reason` a code."""

    case_id: str
    cause: str
    reason: str
    due_ms: int
    documents: tuple[Document, ...]


class DocumentRetention:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def due(self, now_ms: int) -> list[Ending]:
        """Of all cases, but those under hold."""
        async with self._context.database.read() as tx:
            held = {hold.case_id for hold in await holds.active(tx)}
            found = await document_periods.facts(tx)
            near = [one for one in found if one.case_id not in held and self._may_be_over(one, now_ms)]
            endings = [await self._ending(tx, one, now_ms) for one in near]
        return [one for one in endings if one is not None]

    async def expire(self, case_id: str) -> bool:
        """Ask for their destruction; False if there is nothing to go, or it was asked for before."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            ending = await self.ending_of(tx, case_id, now_ms)
            if ending is None or await holds.case_is_held(tx, case_id):
                return False
            if await destructions.documents_waiting(tx, case_id):
                return False
            id_ = new_id()
            row = Destruction(
                id_, id_, destructions.THE_DOCUMENTS, case_id, ending.cause, ending.reason, "", False,
                now_ms, REQUESTED, {}, kind=DOCUMENTS,
            )  # fmt: skip
            await destructions.add(tx, row)
            detail: dict[str, int | str] = {"cause": ending.cause, "count": len(ending.documents)}
            entry = audit.Entry("documents_ended", "case", case_id, "", case_id=case_id, detail=detail)
            await audit.append(tx, now_ms, entry)
        return True

    async def ending_of(self, tx: Transaction, case_id: str, now_ms: int) -> Ending | None:
        """What of a case is to go now; holds are the caller's."""
        found = await document_periods.facts(tx, case_id)
        return await self._ending(tx, found[0], now_ms) if found else None

    async def told(self, tx: Transaction, case_id: str) -> dict[str, Any]:
        """For the page: until when, whether a hold stands, since when the transfer is taken back."""
        now_ms = self._context.now_ms()
        (facts,) = await document_periods.facts(tx, case_id)
        zones = await document_periods.zones_of(tx, case_id)
        held = await holds.case_is_held(tx, case_id)
        until = until_ms(facts, self._years, zones)
        return {
            "until_ms": until,
            "zones": zones,
            "state": str(self._verdict(until, now_ms, held=held)),
            "years": self._years,
            "transfer": None
            if facts.withdrawn_ms is None
            else {"withdrawn_ms": facts.withdrawn_ms, "destroyed_from_ms": abroad_until_ms(facts)},
        }

    async def upcoming(self, now_ms: int, warn_days: int) -> list[dict[str, Any]]:
        """Cases whose documents are over or soon will be, the first at the head. No clinical content."""
        rows: list[dict[str, Any]] = []
        async with self._context.database.read() as tx:
            held = {hold.case_id for hold in await holds.active(tx)}
            for facts in await document_periods.facts(tx):
                if not self._may_be_over(facts, now_ms + warn_days * DAY_MS):
                    continue
                zones = await document_periods.zones_of(tx, facts.case_id)
                ends = [(until_ms(facts, self._years, zones), EXPIRED), (abroad_until_ms(facts), WITHDRAWN)]
                until, cause = min(((at, why) for at, why in ends if at is not None), default=(None, ""))
                if until is None or until > now_ms + warn_days * DAY_MS:
                    continue
                state = self._verdict(until, now_ms, held=facts.case_id in held)
                rows.append(
                    {"case_id": facts.case_id, "kept_until_ms": until, "zones": zones, "cause": cause}
                    | {"state": str(state)}
                )
            labels = await cases.all_by_id(tx, {row["case_id"] for row in rows})
        for row in rows:
            row["case_label"] = labels[row["case_id"]].label
        return sorted(rows, key=lambda row: (row["kept_until_ms"], row["case_id"]))

    async def counts(self) -> tuple[int, int]:
        """(cases with documents that are due, of these for more than a day)"""
        now_ms = self._context.now_ms()
        due = await self.due(now_ms)
        late = [one for one in due if is_overdue(Standing(one.due_ms, held=False, gone=False), now_ms)]
        return len(due), len(late)

    async def _ending(self, tx: Transaction, facts: CaseFacts, now_ms: int) -> Ending | None:
        kept = [row for row in await documents.of_case(tx, facts.case_id) if is_kept(row)]
        until = until_ms(facts, self._years, await document_periods.zones_of(tx, facts.case_id))
        if until is not None and until <= now_ms:
            return self._found(facts, EXPIRED, f"period_{self._class}", until, kept)
        abroad = abroad_until_ms(facts)
        if abroad is None or facts.withdrawn_ms is None or abroad > now_ms:
            return None
        cited = (await documents.cited(tx, facts.case_id)).keys()
        there = [row for row in kept if was_abroad(row, cited, facts.withdrawn_ms)]
        return self._found(facts, WITHDRAWN, TRANSFER, abroad, there)

    @staticmethod
    def _found(
        facts: CaseFacts, cause: str, reason: str, due_ms: int, rows: Sequence[Document]
    ) -> Ending | None:
        return Ending(facts.case_id, cause, reason, due_ms, tuple(rows)) if rows else None

    def _may_be_over(self, facts: CaseFacts, at_ms: int) -> bool:
        """Without looking at its places: their days end within two of each other."""
        abroad = abroad_until_ms(facts)
        soonest = until_ms(facts, self._years, ())
        return (abroad is not None and abroad <= at_ms) or (
            soonest is not None and soonest - 2 * DAY_MS <= at_ms
        )

    def _verdict(self, until: int | None, now_ms: int, *, held: bool) -> Verdict:
        standing = Standing(until, held, gone=False)
        return verdict(standing, now_ms, self._context.settings.retention_warn_days)

    @property
    def _class(self) -> str:
        return self._context.settings.documents.retention_class

    @property
    def _years(self) -> int:
        return years_of(self._class, self._context.settings.retention_years)
