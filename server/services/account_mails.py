"""Mails about accounts: their words, and the resets that strangers asked for.

A link's secret is made together with the mail's words and is kept nowhere but in that mail. It must not hold
anything of a patient.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from server.domain.account_mail import CHANGES, INVITATION, LINK_LIFE_MS, NEWS_LIFE_MS, RESET, AccountMail
from server.domain.mail import STALE
from server.domain.people import Account
from server.i18n import LANGUAGES, text
from server.services.context import Context
from server.services.outgoing import Outgoing, when
from server.storage import account_mails, accounts, audit, mails
from server.storage.database import Transaction
from server.storage.ids import hashed, new_cookie, new_id


async def write(tx: Transaction, account_id: str, kind: str, now_ms: int) -> None:
    """Puts a mail into the outbox. One with a link ends the links that went out before."""
    if kind in LINK_LIFE_MS:
        await account_mails.void(tx, account_id, LINK_LIFE_MS, now_ms)
    expires_ms = now_ms + LINK_LIFE_MS.get(kind, NEWS_LIFE_MS)
    await account_mails.add(tx, AccountMail(new_id(), account_id, kind, 0, now_ms, expires_ms))


async def waits(tx: Transaction, now_ms: int) -> bool:
    return bool(await account_mails.due(tx, now_ms, 1))


async def worded(tx: Transaction, context: Context, now_ms: int, limit: int) -> list[Outgoing]:
    """Those to be sent now, each with a link of its own where it has one."""
    made = []
    for mail in await account_mails.due(tx, now_ms, limit):
        account = await accounts.by_id(tx, mail.account_id)
        if account is None or account.disabled:
            await mails.done(tx, mail.id, STALE, now_ms)
            continue
        link = ""
        if mail.has_link:
            token = new_cookie()
            await account_mails.set_token(tx, mail.id, hashed(token))
            link = f"{context.settings.public_url}/set-password#{token}"
        made.append(_words(mail, account, context.settings.public_url, link))
    return made


async def write_resets(context: Context, now_ms: int) -> None:
    """What `Resets.forgot` noted: a mail for each address that is somebody's, and nothing for the others.

    An account that never had a password gets its invitation again: the old one may have run out.
    """
    async with context.database.read() as tx:
        if not await account_mails.resets_wait(tx):
            return
    async with context.database.write() as tx:
        for asked in await account_mails.take_resets(tx):
            found = await accounts.by_email(tx, asked.email)
            if found is None or found[0].disabled:
                continue
            account, password_hash = found
            kind = RESET if password_hash != accounts.NO_PASSWORD else INVITATION
            await write(tx, account.id, kind, now_ms)
            entry = audit.Entry("password_reset_asked", "account", account.id, asked.address)
            await audit.append(tx, now_ms, entry)


def _words(mail: AccountMail, account: Account, public_url: str, link: str) -> Outgoing:
    language = account.language if account.language in LANGUAGES else "en"
    host = urlsplit(public_url).hostname or ""
    kind = mail.kind.replace("_", "-")
    subject = "mail-account-subject" if mail.kind in CHANGES else f"mail-account-subject-{kind}"
    parts = [text(language, f"mail-account-lead-{kind}", host=host)]
    if link:
        until = when(mail.expires_ms, account.time_zone, language)
        parts += [link, text(language, "mail-account-until", when=until)]
    else:
        parts += [when(mail.made_ms, account.time_zone, language)]
    parts.append(
        text(language, "mail-account-unasked" if mail.kind in CHANGES else f"mail-account-unasked-{kind}")
    )
    body = "\n\n".join(parts) + "\n"
    return Outgoing(mail.id, mail.attempts, account.email, language, text(language, subject), body)
