"""What `hyeopjin doctor` asks of the mail server, and what it says of mails that wait. It sends nothing."""

from __future__ import annotations

import asyncio
from typing import Literal

import aiosmtplib

from server.config import Settings
from server.runtime.mailer import code_of, connected
from server.services.context import unix_ms
from server.storage import mails
from server.storage.database import Database
from server.storage.mails import Outbox

State = Literal["green", "yellow", "grey", "red"]
Found = tuple[State, str, str]
STUCK_MS = 3_600_000
REFUSED_WITHIN_MS = 7 * 24 * 3_600_000


def check(settings: Settings) -> Found:
    """The worst that was found."""
    return asyncio.run(_check(settings))


async def _check(settings: Settings) -> Found:
    box = await _outbox(settings)
    waiting = "" if box is None else f"{box.waiting} waiting, {box.refused} refused in the last 7 days"
    if not settings.mail.host:
        if box is not None and box.waiting:
            return "yellow", "not_configured", f"{waiting}: set [mail], or nobody is invited or reminded"
        return "grey", "not_configured", "nobody is invited or reminded by mail"
    try:
        async with await connected(settings):
            pass
    except (aiosmtplib.SMTPException, OSError) as error:
        return "red", code_of(error), f"{settings.mail.host} does not let us in; {waiting}".rstrip("; ")
    if box is None:
        return "green", "ok", ""
    if box.oldest_ms is not None and unix_ms() - box.oldest_ms > STUCK_MS:
        return "yellow", "waiting", f"{waiting}; the oldest for {(unix_ms() - box.oldest_ms) // 60_000} min"
    if box.refused:
        return "yellow", "refused", f"{waiting}: look at the addresses of accounts"
    return "green", "ok", waiting


async def _outbox(settings: Settings) -> Outbox | None:
    """None before the first start, or with another schema."""
    if not settings.database_url and not (settings.data_dir / "hyeopjin.sqlite3").exists():
        return None
    database = Database(settings.database)
    try:
        return await mails.outbox(database, unix_ms() - REFUSED_WITHIN_MS)
    except LookupError:
        return None
    finally:
        await database.close()
