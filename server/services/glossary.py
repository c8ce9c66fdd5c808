"""The glossary of a case: looked up, added to, corrected, confirmed, shown to everybody in the room.

Who may is asked before, but for two things only this file knows: a seat's glossary is open while its room is,
and a confirmation needs a verified physician. Files are `server/services/glossary_files.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.domain.consultation import require_joinable
from server.domain.errors import Refused
from server.domain.glossary import MAX_TERMS, Term, folded, require_wording
from server.services.access import seat_and_consultation
from server.services.context import Context
from server.services.limiting import Attempts
from server.storage import accounts, audit, cases, glossary, sessions
from server.storage.database import Transaction
from server.storage.glossary import Hand
from server.storage.ids import new_id
from server.storage.seats import Credential

LISTED = 300
"""As many at once; who has more searches."""
FOUND = 50


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, from where, about which case. `verified`: an account whose licence was checked."""

    case_id: str
    address: str
    hand: Hand
    verified: bool


@dataclass(frozen=True, slots=True)
class ShownTerm:
    """What everybody in the room is shown."""

    term: str
    version: int
    texts: Mapping[str, str] = field(repr=False)
    confirmed: bool


class Glossary:
    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    async def seated(self, seat_id: str, credential: Credential, address: str) -> Actor:
        """Whoever sits there, while the consultation is open. Raises Refused `not_open`, `ended`."""
        async with self._context.database.read() as tx:
            seat, consultation = await seat_and_consultation(tx, seat_id)
        require_joinable(consultation, self._context.now_ms())
        account = seat.account_id if credential.account_session_id is not None else None
        return Actor(consultation.case_id, address, Hand(account, seat_id), credential.verified)

    async def find(self, actor: Actor, query: str) -> dict[str, Any]:
        """`{terms, total}`: all, or those that the query is found in, the best first."""
        wanted = folded(query)
        async with self._context.database.read() as tx:
            found = await glossary.of_case(tx, actor.case_id, wanted)
            total = await glossary.count(tx, actor.case_id)
            shown = found[: FOUND if wanted else LISTED]
            return {"terms": await self._told(tx, shown), "found": len(found), "total": total}

    async def listed(self, actor: Actor) -> dict[str, Any]:
        """`{case_label, terms, found, total}`: the whole, or as much of it as is listed."""
        async with self._context.database.read() as tx:
            case = await cases.by_id(tx, actor.case_id)
        return {"case_label": case.label if case else "", **await self.find(actor, "")}

    async def add(self, actor: Actor, texts: Mapping[str, str], note: str) -> dict[str, Any]:
        """Raises Refused `term_empty`, `glossary_full`, `too_many_attempts`."""
        wording = require_wording(texts, note)
        await self._counted(actor)
        now_ms = self._context.now_ms()
        term = Term(new_id(), actor.case_id, 1, wording, None, None, now_ms)
        async with self._context.database.write() as tx:
            if await glossary.count(tx, actor.case_id) >= MAX_TERMS:
                raise Refused("glossary_full")
            await glossary.add(tx, term)
            await self._written(tx, actor, term, "added")
            return (await self._told(tx, [term]))[0]

    async def edit(
        self, actor: Actor, term_id: str, version: int, texts: Mapping[str, str], note: str
    ) -> dict[str, Any]:
        """A text changed is confirmed no more. Raises Refused `not_found`, `term_changed`, `term_empty`."""
        wording = require_wording(texts, note)
        await self._counted(actor)
        async with self._context.database.write() as tx:
            before = await self._current(tx, actor, term_id, version)
            if before.wording == wording:
                return (await self._told(tx, [before]))[0]
            after = before.reworded(wording, self._context.now_ms())
            return await self._replaced(tx, actor, after, "edited")

    async def confirm(self, actor: Actor, term_id: str, version: int) -> dict[str, Any]:
        """By a verified physician, by name. Raises Refused `not_verified`, `not_found`, `term_changed`."""
        account = actor.hand.account_id
        if account is None or not actor.verified:
            raise Refused("not_verified")
        await self._counted(actor)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            before = await self._current(tx, actor, term_id, version)
            after = Term(before.id, before.case_id, version + 1, before.wording, account, now_ms, now_ms)
            return await self._replaced(tx, actor, after, "confirmed")

    async def delete(self, actor: Actor, term_id: str, version: int) -> None:
        """Its history stays. Raises Refused `not_found`, `term_changed`."""
        await self._counted(actor)
        async with self._context.database.write() as tx:
            before = await self._current(tx, actor, term_id, version)
            if not await glossary.remove(tx, term_id, version):
                raise Refused("term_changed")
            gone = Term(
                before.id, before.case_id, version + 1, before.wording, None, None, self._context.now_ms()
            )
            await self._written(tx, actor, gone, "deleted")

    async def shown(self, seat_id: str, term_id: str) -> ShownTerm:
        """A term of the seat's case, for everybody in its room. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            _, consultation = await seat_and_consultation(tx, seat_id)
            term = await glossary.by_id(tx, consultation.case_id, term_id)
        if term is None:
            raise Refused("not_found")
        return ShownTerm(term.id, term.version, dict(term.texts), term.confirmed_by is not None)

    async def mark(self, session_id: str, at_ms: int, shown: ShownTerm, seat_id: str | None) -> None:
        """On the session's time line. `seat_id` None: it was shown by one who is not recorded."""
        async with self._context.database.write() as tx:
            if await sessions.by_id(tx, session_id) is not None:
                await glossary.mark(tx, session_id, at_ms, (shown.term, shown.version), seat_id)

    async def _current(self, tx: Transaction, actor: Actor, term_id: str, version: int) -> Term:
        term = await glossary.by_id(tx, actor.case_id, term_id)
        if term is None:
            raise Refused("not_found")
        if term.version != version:
            raise Refused("term_changed")
        return term

    async def _replaced(self, tx: Transaction, actor: Actor, after: Term, what: str) -> dict[str, Any]:
        if not await glossary.replace(tx, after):
            raise Refused("term_changed")
        await self._written(tx, actor, after, what)
        return (await self._told(tx, [after]))[0]

    async def _written(self, tx: Transaction, actor: Actor, term: Term, what: str) -> None:
        await glossary.remember(tx, term, what, actor.hand)
        detail: dict[str, int | str] = {"version": term.version, "languages": " ".join(term.texts)}
        await audit.append(tx, term.changed_ms, acted(actor, f"term_{what}", term.id, detail))

    async def _counted(self, actor: Actor) -> None:
        await self._attempts.glossary(actor.case_id, actor.hand.account_id or actor.hand.seat_id or "")

    @staticmethod
    async def _told(tx: Transaction, terms: list[Term]) -> list[dict[str, Any]]:
        names = await accounts.names(
            tx, {term.confirmed_by for term in terms if term.confirmed_by is not None}
        )
        return [
            {
                "id": term.id,
                "version": term.version,
                "texts": dict(term.texts),
                "note": term.note,
                "confirmed": None
                if term.confirmed_by is None
                else {"name": names.get(term.confirmed_by, ""), "at_ms": term.confirmed_ms},
                "changed_ms": term.changed_ms,
            }
            for term in terms
        ]


def acted(actor: Actor, action: str, term_id: str, detail: dict[str, int | str]) -> audit.Entry:
    """The audit entry: ids, numbers and codes; what a term says is in its history."""
    return audit.Entry(
        action=action,
        subject_type="glossary",
        subject_id=term_id,
        address=actor.address,
        account_id=actor.hand.account_id,
        seat_id=actor.hand.seat_id,
        case_id=actor.case_id,
        detail=detail,
    )
