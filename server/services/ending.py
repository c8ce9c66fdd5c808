"""Ends the signed-in browsers of an account at once: a new password, a lost computer, leaving, suspension.

Two halves, so that it can be part of a larger change: `end_sessions` inside the transaction, `tell` after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from server.services.context import Context
from server.storage import accounts, local_keys, seats
from server.storage.database import Transaction


async def end_sessions(tx: Transaction, account_id: str, now_ms: int, *, but: str | None = None) -> list[str]:
    """All of an account's but that one, with the seats taken by them and the keys of their local copies.

    What fell is to be told (`tell`) when the transaction is through.
    """
    ended = await accounts.revoke_all_sessions(tx, account_id, now_ms, but=but)
    await local_keys.destroy_revoked(tx)
    return [
        credential
        for session in ended
        for credential in await seats.revoke_credentials_of_session(tx, session, now_ms)
    ]


async def tell(context: Context, fallen: Iterable[str]) -> None:
    """Whoever sits in a room by one of these is put out now."""
    for credential in fallen:
        await context.live.credential_revoked(credential)
