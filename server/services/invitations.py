"""Invites somebody who has an account and no password yet: a mailed link sets one, for seven days."""

from __future__ import annotations

from server.domain.account_mail import INVITATION
from server.domain.errors import Refused
from server.services import account_mails
from server.services.context import Context
from server.storage import accounts, audit
from server.storage.database import Transaction


class Invitations:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def invite(self, account_id: str, by: str, address: str = "") -> None:
        """`by`: the account that invites, "" for the command line. A second mail ends the first one's link.

        Raises Refused `not_found` (none, or disabled), `invited_already` (it has a password).
        """
        async with self._context.database.write() as tx:
            await invite(tx, account_id, by, address, self._context.now_ms())


async def invite(tx: Transaction, account_id: str, by: str, address: str, now_ms: int) -> None:
    """The same within a larger change, as the one that makes the account."""
    account = await accounts.by_id(tx, account_id)
    if account is None or account.disabled:
        raise Refused("not_found")
    if await accounts.has_password(tx, account_id):
        raise Refused("invited_already")
    await account_mails.write(tx, account_id, INVITATION, now_ms)
    entry = audit.Entry("account_invited", "account", account_id, address, account_id=by or None)
    await audit.append(tx, now_ms, entry)
