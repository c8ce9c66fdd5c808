"""Sends what waits in the outbox, writes reminders when they are due. The only file that speaks SMTP.

A mail leaves the outbox when a mail server has taken it. A crash between the two may send it twice, with the
same Message-ID; none is lost. Nothing of a mail is ever logged.
"""

from __future__ import annotations

import asyncio
import logging
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from pathlib import Path
from urllib.parse import urlsplit

import aiosmtplib

from server.config import Settings
from server.runtime.tasks import TaskOwner, describe
from server.services.context import Context
from server.services.mailing import Mailing
from server.services.outgoing import Outgoing

log = logging.getLogger("hyeopjin.runtime.mailer")

LOOK_EVERY_S = 5.0
TIMEOUT_S = 20.0
PERMANENT = 500


class Mailer:
    """Order: construct, `start`, …, `stop`."""

    def __init__(self, context: Context, mailing: Mailing) -> None:
        self._context = context
        self._mailing = mailing
        self._owner = TaskOwner("mailer")

    async def start(self) -> None:
        self._owner.spawn(self._loop(), "loop")

    async def stop(self) -> None:
        """What was not taken yet is tried at the next start."""
        await self._owner.close()

    async def tick(self) -> int:
        """One run at the context's now; how many were taken."""
        now_ms = self._context.now_ms()
        await self._mailing.write_resets(now_ms)
        await self._mailing.remind(now_ms)
        await self._mailing.drop_overtaken(now_ms)
        if not self._context.settings.mail.host:
            return 0
        waiting = await self._mailing.due(now_ms)
        return await self._send_all(waiting) if waiting else 0

    async def _loop(self) -> None:
        while True:
            try:
                await self.tick()
            except Exception as error:
                log.error("mails were not sent: %s", describe(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _send_all(self, waiting: list[Outgoing]) -> int:
        """Over one connection. When that breaks, the rest waits for its own next time."""
        taken = 0
        left = list(waiting)
        try:
            async with await connected(self._context.settings) as server:
                while left:
                    taken += await self._send(server, left[0])
                    left.pop(0)
        except (aiosmtplib.SMTPException, OSError) as error:
            log.warning("the mail server does not take mail: %s", describe(error))
            for mail in left:
                await self._mailing.failed(mail, code_of(error))
        return taken

    async def _send(self, server: aiosmtplib.SMTP, mail: Outgoing) -> int:
        """Raises SMTPException or OSError when it is the server and not this mail."""
        try:
            await server.send_message(message_of(mail, self._context.settings))
        except aiosmtplib.SMTPNotSupported:  # letters that this server takes in no address
            await self._mailing.refused(mail, "recipient_unsupported")
            return 0
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = max((each.code for each in error.recipients), default=PERMANENT)
            await self._mark(mail, code, "recipient")
            return 0
        except aiosmtplib.SMTPDataError as error:
            await self._mark(mail, error.code, "content")
            return 0
        except (aiosmtplib.SMTPException, OSError):
            raise
        except Exception as error:  # an address that no header takes: it must not stop everybody's mail
            log.error("a mail cannot be written: %s", describe(error))
            await self._mailing.refused(mail, "recipient_unwritable")
            return 0
        await self._mailing.sent(mail)
        return 1

    async def _mark(self, mail: Outgoing, code: int, what: str) -> None:
        if code >= PERMANENT:
            await self._mailing.refused(mail, f"{what}_{code}")
        else:
            await self._mailing.failed(mail, f"{what}_{code}")


async def connected(settings: Settings) -> aiosmtplib.SMTP:
    """A client that connects (and signs in) when entered. Raises OSError when the password cannot be read."""
    mail = settings.mail
    return aiosmtplib.SMTP(
        hostname=mail.host,
        port=mail.port,
        use_tls=mail.security == "tls",
        start_tls=mail.security == "starttls",
        username=mail.username or None,
        password=await asyncio.to_thread(_password, settings) if mail.username else None,
        timeout=TIMEOUT_S,
        local_hostname=urlsplit(settings.public_url).hostname,
    )


def password_file(settings: Settings) -> Path:
    return settings.mail.password_file or settings.secrets_dir / "smtp_password"


def _password(settings: Settings) -> str:
    return password_file(settings).read_text(encoding="utf-8").strip()


def code_of(error: Exception) -> str:
    """A word for the books; never what the server said, which may name people."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return "sign_in_refused"
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return "sender_refused"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"answer_{error.code}"
    return "unreachable"


def message_of(mail: Outgoing, settings: Settings) -> EmailMessage:
    """Plain text, and for calendars the same again as `text/calendar` with its method (RFC 6047)."""
    message = EmailMessage()
    message["From"] = settings.mail.sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{mail.id}@{urlsplit(settings.public_url).hostname}>"
    message["Content-Language"] = mail.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    if mail.calendar is not None and mail.method is not None:
        message.add_alternative(mail.calendar, subtype="calendar", params={"method": mail.method})
    return message
