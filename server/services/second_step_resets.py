"""Takes somebody's second step away because they lost it: telephone, passkey, recovery codes.

Everything that is signed in ends with it and its owner is told by mail. Their password stays and stays theirs
alone; a role that needs a second step (`second_step_roles`) opens nothing until a new one is set up.
"""

from __future__ import annotations

from dataclasses import replace

from server.domain.errors import Refused
from server.domain.second_step import Checked, Why
from server.services import account_mails
from server.services.accounts import SignedIn, require_proof
from server.services.context import Context
from server.services.ending import end_sessions, tell
from server.services.second_steps import ways
from server.services.staffing import required
from server.storage import audit, passkeys, second_steps
from server.storage.database import Transaction


class SecondStepResets:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def reset(
        self, account_id: str, by: SignedIn, why: Why, checked: Checked, address: str
    ) -> dict[str, bool]:
        """`{told}`: whether a mail is on its way; a server without a mail server leaves it in the outbox.

        Raises Refused `proof_required`, `not_found`, `own_account`, `role_above`, `second_step_none`.
        """
        require_proof(self._context, by)
        async with self._context.database.write() as tx:
            await required(tx, account_id, by.account)
            entry = entry_of(account_id, why, checked, address, by.account.id)
            fallen = await take_away(tx, entry, self._context.now_ms())
        await tell(self._context, fallen)
        return {"told": bool(self._context.settings.mail.host)}


def entry_of(account_id: str, why: Why, checked: Checked, address: str, by: str | None) -> audit.Entry:
    """`by`: None for the command line."""
    detail: dict[str, int | str] = {"why": why, "checked": checked}
    return audit.Entry("second_step_reset", "account", account_id, address, account_id=by, detail=detail)


async def take_away(tx: Transaction, entry: audit.Entry, now_ms: int) -> list[str]:
    """All second steps of its account and its signed-in browsers. Credentials that fell, for `ending.tell`.

    Raises Refused `second_step_none`.
    """
    account_id = entry.subject_id
    had = await ways(tx, account_id)
    if not had:
        raise Refused("second_step_none")
    await second_steps.drop_totp(tx, account_id)
    await second_steps.drop_recovery(tx, account_id)
    await passkeys.drop_all(tx, account_id)
    await second_steps.forget(tx, account_id)
    await account_mails.write(tx, account_id, "second_step_reset", now_ms)
    whole = replace(entry, detail={**entry.detail, "had": " ".join(had)})
    await audit.append(tx, now_ms, whole)
    return await end_sessions(tx, account_id, now_ms)
