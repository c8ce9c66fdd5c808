"""Looks at a patient's data that leave an entry of the audit once in a while, not at each request of a page.

Whoever shows something awaits `note` before it is sent: what could not be written is not shown. What is
remembered is this process's own: with several, an entry more is written, never one less.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from server.domain.people import Account
from server.domain.trail import PATIENTS_LISTED, SHOWN
from server.services.context import Context
from server.storage import audit
from server.storage.audit import Entry

NOTED_MS: Final = 10 * 60_000
"""The same look of the same person within this is one."""
MOST_NOTED: Final = 8_192
NAMED_AT_ONCE: Final = 50
"""So many patients stand in one entry: a syslog message holds it."""


class Looks:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._noted: OrderedDict[tuple[str, ...], int] = OrderedDict()
        self._noting = asyncio.Lock()

    async def note(self, entry: Entry, *key: str) -> None:
        """Unless it was noted under this key a while ago; what could not be written was not noted."""
        await self._write([(entry, [key])])

    async def listed(self, account: Account, patients: Iterable[str], address: str) -> None:
        """Names of these patients stood in a list that this account was sent."""
        now_ms = self._context.now_ms()
        keys = {one: ("listed", account.id, one) for one in sorted(set(patients))}
        new = [one for one, key in keys.items() if not self._is_known(key, now_ms)]
        await self._write(
            [
                (_listed(account, some, address), [keys[one] for one in some])
                for at in range(0, len(new), NAMED_AT_ONCE)
                if (some := new[at : at + NAMED_AT_ONCE])
            ]
        )

    async def _write(self, looks: list[tuple[Entry, list[tuple[str, ...]]]]) -> None:
        async with self._noting:
            now_ms = self._context.now_ms()
            news = [look for look in looks if not all(self._is_known(key, now_ms) for key in look[1])]
            if not news:
                return
            async with self._context.database.write() as tx:
                for entry, _ in news:
                    await audit.append(tx, now_ms, entry)
            for _, keys in news:
                for key in keys:
                    self._noted[key] = now_ms
                    self._noted.move_to_end(key)
            while len(self._noted) > MOST_NOTED:
                self._noted.popitem(last=False)

    def _is_known(self, key: tuple[str, ...], now_ms: int) -> bool:
        # A clock that was put back must not keep a look out of the audit until it has caught up.
        return 0 <= now_ms - self._noted.get(key, -NOTED_MS) < NOTED_MS


def _listed(account: Account, patients: list[str], address: str) -> Entry:
    return Entry(
        PATIENTS_LISTED, "site", account.site_id, address,
        account_id=account.id, detail={SHOWN: " ".join(patients)},
    )  # fmt: skip
