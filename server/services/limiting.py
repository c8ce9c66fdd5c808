"""How often somebody may try. Keys hold addresses and hashes in memory only; nothing of them is logged."""

from __future__ import annotations

import time

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from server.domain.errors import Refused

FIVE_MINUTES, FIFTEEN_MINUTES = 5, 15
NOTED_FAILURES = 20
"""Failed sign-ins of one address in five minutes that get an entry each: more say nothing new."""
MESSAGES, MESSAGES_S = 10, 10
"""Lines of chat of one seat, in so many seconds: more than anybody types."""


class Attempts:
    """Sliding windows per key. One process has one; several instances would share a storage."""

    def __init__(self, per_account: int, per_address: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._account = RateLimitItemPerMinute(per_account, FIVE_MINUTES)
        self._address = RateLimitItemPerMinute(per_address)
        self._failures = RateLimitItemPerMinute(NOTED_FAILURES, FIVE_MINUTES)
        self._knocks = RateLimitItemPerMinute(12)
        self._probes = RateLimitItemPerMinute(20)
        self._messages = RateLimitItemPerSecond(MESSAGES, MESSAGES_S)
        self._terms = RateLimitItemPerMinute(60)
        self._saves = RateLimitItemPerMinute(120)
        self._glossary_files = RateLimitItemPerMinute(20)
        self._feeds = RateLimitItemPerMinute(10)
        self._second_steps = RateLimitItemPerMinute(per_account, FIVE_MINUTES)
        self._second_steps_of_account = RateLimitItemPerMinute(6 * per_account, 60)
        self._resets = RateLimitItemPerMinute(3, FIFTEEN_MINUTES)
        self._resets_of_address = RateLimitItemPerMinute(20, FIFTEEN_MINUTES)
        self._self_tests = RateLimitItemPerMinute(10, FIVE_MINUTES)
        self._codes = RateLimitItemPerMinute(20)

    async def sign_in(self, account: str, address: str) -> None:
        """Counts an attempt. Raises Refused `too_many_attempts` with `retry_after_s`."""
        await self._hit(self._address, "address", address)
        await self._hit(self._account, "account", account, address)

    async def signed_in(self, account: str, address: str) -> None:
        """A right password: earlier wrong ones no longer count against this person."""
        await self._limiter.clear(self._account, "account", account, address)

    async def second_step(self, account: str, address: str) -> None:
        """A code of a second step: somebody knows the password already, so all addresses count together."""
        await self._hit(self._second_steps, "second step", account, address)
        await self._hit(self._second_steps_of_account, "second steps", account)

    async def second_step_taken(self, account: str, address: str) -> None:
        await self._limiter.clear(self._second_steps, "second step", account, address)

    async def reset(self, account: str, address: str) -> None:
        """Somebody says that this account's password was forgotten: a few mails at most come of it."""
        await self._hit(self._resets_of_address, "reset from", address)
        await self._hit(self._resets, "reset", account)

    async def failure_is_noted(self, address: str) -> bool:
        """Whether this failed sign-in gets an entry: who tries thousands does not fill the audit."""
        return await self._limiter.hit(self._failures, "failure", address)

    async def link(self, address: str) -> None:
        await self._hit(self._address, "link", address)

    async def knock(self, seat: str, address: str) -> None:
        await self._hit(self._knocks, "knock", seat, address)

    async def probe(self, seat: str, address: str) -> None:
        """A page asks when it opens and when somebody presses the button."""
        await self._hit(self._probes, "probe", seat, address)

    async def message(self, seat: str) -> None:
        """A line of chat. Raises Refused `too_many_messages`."""
        if not await self._limiter.hit(self._messages, "message", seat):
            raise Refused("too_many_messages")

    async def glossary(self, case: str, who: str) -> None:
        """Somebody changes a term: as fast as one types, not as fast as a machine does."""
        await self._hit(self._terms, "glossary", case, who)

    async def save(self, what: str, who: str) -> None:
        """A draft saves itself while somebody types: every second or so, from two pages perhaps."""
        await self._hit(self._saves, "save", what, who)

    async def glossary_file(self, case: str) -> None:
        await self._hit(self._glossary_files, "glossary file", case)

    async def feed(self, token_hash: str, address: str) -> None:
        """A calendar program asks a few times an hour; many behind one address share it with sign-ins."""
        await self._hit(self._address, "feed", address)
        await self._hit(self._feeds, "feed", token_hash)

    async def self_test(self, account: str) -> None:
        """Somebody begins a self-test of their site: a minute each, and again when a plug was loose."""
        await self._hit(self._self_tests, "self test", account)

    async def code(self, address: str) -> None:
        """A patient's code is typed: their page asks a few times while it is read."""
        await self._hit(self._codes, "code", address)

    async def route(self, path: str, who: str, per_minute: int) -> None:
        """One request of an account or a seat for what costs something to read."""
        await self._hit(RateLimitItemPerMinute(per_minute), "route", path, who)

    async def _hit(self, item: RateLimitItem, *key: str) -> None:
        if await self._limiter.hit(item, *key):
            return
        reset_at = (await self._limiter.get_window_stats(item, *key)).reset_time
        raise Refused("too_many_attempts", retry_after_s=max(1, round(reset_at - time.time())))
