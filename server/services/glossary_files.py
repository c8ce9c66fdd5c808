"""A glossary brought in as a CSV file, looked at before anything changes, and taken out as one.

A row is a term that there is already when they agree in the first of `LANGUAGES` that both have; then it adds
languages to it and changes those that differ. What was looked at is what is taken: the page returns `seen`,
and a file or a glossary that has changed since is looked at once more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from server.domain import glossary_file
from server.domain.errors import Refused
from server.domain.glossary import MAX_TERMS, Known, Term, Wording
from server.domain.glossary_file import Sheet
from server.services.context import Context
from server.services.glossary import Actor, acted
from server.services.limiting import Attempts
from server.storage import audit, glossary
from server.storage.ids import new_id


@dataclass(slots=True)
class _Plan:
    """What taking a file would do."""

    added: list[Term] = field(default_factory=list)
    changed: list[Term] = field(default_factory=list)
    same: int = 0
    unconfirmed: int = 0  # of the changed: those that a physician must look at again


class GlossaryFiles:
    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    async def look(self, actor: Actor, data: bytes) -> dict[str, Any]:
        """What taking the file would do, or its problems; nothing changes."""
        await self._attempts.glossary_file(actor.case_id)
        sheet = glossary_file.read(data)
        async with self._context.database.read() as tx:
            terms = await glossary.of_case(tx, actor.case_id)
        plan = _plan(sheet, terms, actor.case_id, self._context.now_ms())
        room = MAX_TERMS - len(terms)
        return {
            "rows": len(sheet.rows),
            "added": len(plan.added),
            "changed": len(plan.changed),
            "same": plan.same,
            "unconfirmed": plan.unconfirmed,
            "too_many": max(0, len(plan.added) - room),
            "problems": [
                {"line": one.line, "reason": one.reason, "column": one.column} for one in sheet.problems
            ],
            "seen": _seen(data, terms),
        }

    async def take(self, actor: Actor, data: bytes, seen: str) -> dict[str, Any]:
        """All of the file or nothing.

        Raises Refused `file_refused` (with `line`), `glossary_changed`, `glossary_full`, `too_many_attempts`.
        """
        await self._attempts.glossary_file(actor.case_id)
        sheet = glossary_file.read(data)
        if sheet.problems:
            raise Refused("file_refused", line=sheet.problems[0].line, problems=len(sheet.problems))
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            terms = await glossary.of_case(tx, actor.case_id)
            if seen != _seen(data, terms):
                raise Refused("glossary_changed")
            plan = _plan(sheet, terms, actor.case_id, now_ms)
            if len(terms) + len(plan.added) > MAX_TERMS:
                raise Refused("glossary_full")
            for term in plan.added:
                await glossary.add(tx, term)
            for term in plan.changed:
                await glossary.replace(tx, term)
            for term in (*plan.added, *plan.changed):
                await glossary.remember(tx, term, "imported", actor.hand)
            counts = {"added": len(plan.added), "changed": len(plan.changed), "same": plan.same}
            detail: dict[str, int | str] = {**counts, "unconfirmed": plan.unconfirmed}
            await audit.append(tx, now_ms, acted(actor, "glossary_imported", actor.case_id, detail))
        return {**counts, "unconfirmed": plan.unconfirmed}

    async def write(self, actor: Actor, separator: str) -> bytes:
        """The whole glossary as a file; that it was taken out is audited."""
        async with self._context.database.write() as tx:
            terms = await glossary.of_case(tx, actor.case_id)
            entry = acted(actor, "glossary_exported", actor.case_id, {"terms": len(terms)})
            await audit.append(tx, self._context.now_ms(), entry)
        return glossary_file.write((term.wording for term in terms), separator)


def _plan(sheet: Sheet, terms: list[Term], case_id: str, now_ms: int) -> _Plan:
    plan, known = _Plan(), Known(terms)
    for _, wording in sheet.rows:
        found = known.take(wording)
        if found is None:  # two rows are never one term
            plan.added.append(Term(new_id(), case_id, 1, wording, None, None, now_ms))
            continue
        merged = Wording({**found.texts, **wording.texts}, wording.note or found.note)
        if merged == found.wording:
            plan.same += 1
            continue
        after = found.reworded(merged, now_ms)
        plan.unconfirmed += int(found.confirmed_by is not None and after.confirmed_by is None)
        plan.changed.append(after)
    return plan


def _seen(data: bytes, terms: list[Term]) -> str:
    """What the file and the glossary were when they were looked at."""
    state = "\n".join(sorted(f"{term.id} {term.version}" for term in terms))
    return hashlib.sha256(hashlib.sha256(data).digest() + state.encode()).hexdigest()
