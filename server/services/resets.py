"""A new password by a mailed link: after an invitation, or because the old one was forgotten.

Whoever asks for a reset learns nothing: an unknown address is noted just like a known one, in the same time;
the mailer finds out afterwards whether it is anybody's (`account_mails.write_resets`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.account_mail import RESET
from server.domain.errors import Refused
from server.domain.password import weakness
from server.domain.people import Account, normalised_email
from server.domain.staff import MAX_EMAIL
from server.services import account_mails as outbox
from server.services.context import Context
from server.services.ending import replace_password, tell
from server.services.limiting import Attempts
from server.services.passwords import Passwords
from server.storage import account_mails, accounts, audit
from server.storage.account_mails import ResetRequest
from server.storage.database import Transaction
from server.storage.ids import hashed, new_id


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """Whose password a link sets. `kind`: invitation or reset."""

    account: Account = field(repr=False)
    kind: str
    mail_id: str


class Resets:
    def __init__(self, context: Context, passwords: Passwords, attempts: Attempts) -> None:
        self._context = context
        self._passwords = passwords
        self._attempts = attempts

    async def forgot(self, email: str, address: str) -> None:
        """Raises Refused `too_many_attempts`."""
        key = normalised_email(email)[:MAX_EMAIL]  # small letters may be longer: nobody's, then
        await self._attempts.reset(hashed(key), address)
        async with self._context.database.write() as tx:
            await account_mails.ask_reset(tx, ResetRequest(new_id(), key, address), self._context.now_ms())

    async def owner(self, token: str, address: str) -> LinkOwner:
        """Raises Refused `password_link_dead` (used, over, superseded or none), `too_many_attempts`."""
        await self._attempts.link(address)
        async with self._context.database.read() as tx:
            return await self._owner(tx, token)

    async def set_password(self, token: str, password: str, address: str) -> None:
        """Uses the link up. Every browser that was signed in is signed out.

        Raises Refused as `owner` does, and `password_short`, `password_common`.
        """
        owner = await self.owner(token, address)
        account = owner.account
        if code := weakness(password, account.email, account.name):
            raise Refused(code)
        stored, now_ms = await self._passwords.hash(password), self._context.now_ms()
        async with self._context.database.write() as tx:
            await self._owner(tx, token)
            if not await account_mails.use(tx, owner.mail_id, now_ms):
                raise Refused("password_link_dead")
            fallen = await replace_password(tx, account.id, stored, now_ms)
            if owner.kind == RESET:
                await outbox.write(tx, account.id, "password_changed", now_ms)
            detail: dict[str, int | str] = {"by": owner.kind}
            entry = audit.Entry("password_set", "account", account.id, address, account.id, detail=detail)
            await audit.append(tx, now_ms, entry)
        await tell(self._context, fallen)

    async def _owner(self, tx: Transaction, token: str) -> LinkOwner:
        link = await account_mails.link(tx, hashed(token))
        account = None if link is None else await accounts.by_id(tx, link.account_id)
        if link is None or account is None or account.disabled or not link.works(self._context.now_ms()):
            raise Refused("password_link_dead")
        return LinkOwner(account, link.kind, link.mail_id)
