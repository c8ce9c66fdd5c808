"""A calendar feed for each person who wants one: their own hours, for the calendar program they use."""

from __future__ import annotations

from typing import Any

from server.domain.calendar import DAY_MS
from server.domain.errors import Refused
from server.domain.icalendar import calendar
from server.domain.people import Account
from server.i18n import LANGUAGES
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.mailing import event_of
from server.storage import accounts, appointments, audit, feeds
from server.storage.ids import hashed, new_cookie, new_id

KEPT_MS = 30 * DAY_MS
"""How far back a feed goes: a calendar learns of what was called off."""


class Feeds:
    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts

    async def renew(self, account: Account, address: str) -> str:
        """A new address for one's calendar; the one before is dead. It is told once."""
        now_ms, token = self._context.now_ms(), new_cookie()
        async with self._context.database.write() as tx:
            await feeds.revoke(tx, account.id, now_ms)
            await feeds.add(tx, new_id(), account.id, hashed(token), now_ms)
            entry = audit.Entry("feed_made", "account", account.id, address, account_id=account.id)
            await audit.append(tx, now_ms, entry)
        return f"{self._context.settings.public_url}/calendar/{token}.ics"

    async def revoke(self, account: Account, address: str) -> None:
        """Raises Refused `not_found` when there was none."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            if not await feeds.revoke(tx, account.id, now_ms):
                raise Refused("not_found")
            entry = audit.Entry("feed_revoked", "account", account.id, address, account_id=account.id)
            await audit.append(tx, now_ms, entry)

    async def state(self, account: Account) -> dict[str, Any]:
        async with self._context.database.read() as tx:
            return {"made_at_ms": await feeds.made_ms(tx, account.id)}

    async def read(self, token: str, address: str) -> str:
        """The feed itself. Raises Refused `not_found` (unknown or revoked), `too_many_attempts`."""
        await self._attempts.feed(hashed(token), address)
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            account_id = await feeds.account_of(tx, hashed(token))
            account = None if account_id is None else await accounts.by_id(tx, account_id)
            if account is None or account.disabled:
                raise Refused("not_found")
            found = await appointments.of_account(tx, account.id, now_ms - KEPT_MS)
        language = account.language if account.language in LANGUAGES else "en"
        events = [
            event_of(
                self._context,
                consultation.id,
                agreed.sequence,
                (consultation.starts_at_ms, agreed.ends_at_ms),
                agreed.changed_ms,
                language,
                f"{self._context.settings.public_url}/room/{seat}",
                cancelled=agreed.state != "booked",
            )
            for consultation, agreed, seat in found
        ]
        return calendar("PUBLISH", events)
