"""What became of a glossary's terms: every state, with whose hand it was. Who may is asked before."""

from __future__ import annotations

from typing import Any

from server.domain.errors import Refused
from server.domain.glossary import Wording
from server.services.context import Context
from server.services.glossary import Actor
from server.storage import accounts, consultations, glossary
from server.storage.database import Transaction
from server.storage.glossary import Hand

MOST = 200
"""States told at once."""


class GlossaryHistory:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def of(self, actor: Actor, term_id: str | None = None) -> dict[str, Any]:
        """`{states}`, newest first: of one term, or of all of the case. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            states = await glossary.history(tx, actor.case_id, term_id, MOST)
            names = {hand: await _name(tx, hand) for hand in {state.hand for state in states}}
        if term_id is not None and not states:
            raise Refused("not_found")
        return {
            "states": [
                {
                    "term": state.term_id,
                    "version": state.version,
                    "what": state.what,
                    **_told(state.wording),
                    "before": None if state.before is None else _told(state.before),
                    "by": names[state.hand],
                    "at_ms": state.at_ms,
                }
                for state in states
            ]
        }


def _told(wording: Wording) -> dict[str, Any]:
    return {"texts": dict(wording.texts), "note": wording.note}


async def _name(tx: Transaction, hand: Hand) -> str:
    """Of the account, else of the seat: whoever came by its link is who the seat says."""
    account = await accounts.by_id(tx, hand.account_id) if hand.account_id else None
    if account is not None:
        return account.name
    seat = await consultations.seat_by_id(tx, hand.seat_id) if hand.seat_id else None
    return seat.name if seat else ""
