"""Ends the signed-in browsers of an account at once: a new password, a lost computer, leaving, suspension.

Two halves, so that it can be part of a larger change: `end_sessions` inside the transaction, `tell` after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from server.domain.account_mail import LINK_LIFE_MS
from server.services.context import Context
from server.storage import account_mails, accounts, local_keys, seats
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


async def replace_password(
    tx: Transaction, account_id: str, stored: str, now_ms: int, *, but: str | None = None
) -> list[str]:
    """With it end all other sessions and links; what fell is to be told."""
    await accounts.set_password(tx, account_id, stored)
    await account_mails.void(tx, account_id, LINK_LIFE_MS, now_ms)
    return await end_sessions(tx, account_id, now_ms, but=but)


async def tell(context: Context, fallen: Iterable[str]) -> None:
    """Whoever sits in a room by one of these is put out now."""
    for credential in fallen:
        await context.live.credential_revoked(credential)
