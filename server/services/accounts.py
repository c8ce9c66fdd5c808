"""Signing in and out, and the list of signed-in browsers."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

from server.domain.errors import Refused
from server.domain.people import Account, AccountSession, in_force, normalised_email, session_is_live
from server.domain.trail import SIGN_IN_FAILED
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.passwords import Passwords
from server.storage import accounts, audit, local_keys, seats
from server.storage.ids import hashed, new_cookie, new_id

TOUCH_MS = 60_000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A request's proven account. `secret` is the cookie's value, only right after signing in."""

    account: Account
    session: AccountSession
    secret: str = field(default="", repr=False)


class Accounts:
    def __init__(self, context: Context, passwords: Passwords, attempts: Attempts) -> None:
        self._context = context
        self._passwords = passwords
        self._attempts = attempts

    async def sign_in(self, email: str, password: str, address: str, agent: str) -> SignedIn:
        """Raises Refused `sign_in_refused` (the same for an unknown account) or `too_many_attempts`."""
        key = normalised_email(email)
        await self._attempts.sign_in(hashed(key), address)
        async with self._context.database.read() as tx:
            found = await accounts.by_email(tx, key)
        right = await self._passwords.matches(found[1] if found else None, password)
        if found is None or not right or found[0].disabled:
            await self._failed(found[0].id if found else None, address)
            raise Refused("sign_in_refused")
        await self._attempts.signed_in(hashed(key), address)
        now_ms, secret = self._context.now_ms(), new_cookie()
        account = in_force(found[0], now_ms)
        session = AccountSession(new_id(), account.id, now_ms, now_ms, None, agent[:200])
        async with self._context.database.write() as tx:
            await accounts.add_session(tx, session, hashed(secret))
            await audit.append(
                tx, now_ms, audit.Entry("sign_in", "account", account.id, address, account_id=account.id)
            )
        return SignedIn(account, session, secret)

    async def _failed(self, account_id: str | None, address: str) -> None:
        """An entry, the same whether there is such an account; what was typed is nowhere."""
        if not await self._attempts.failure_is_noted(address):
            return
        entry = audit.Entry(
            SIGN_IN_FAILED, "account", account_id or "unknown", address, account_id=account_id
        )
        async with self._context.database.write() as tx:
            await audit.append(tx, self._context.now_ms(), entry)

    async def authenticate(self, secret: str | None) -> SignedIn | None:
        """Who a session cookie proves, if it still does."""
        if not secret:
            return None
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            found = await accounts.session_by_token(tx, hashed(secret))
        lifetime_ms = self._context.settings.account_session_hours * 3_600_000
        if found is None or found[1].disabled or not session_is_live(found[0], now_ms, lifetime_ms):
            return None
        session, account = found[0], in_force(found[1], now_ms)
        if now_ms - session.last_seen_ms > TOUCH_MS:
            async with self._context.database.write() as tx:
                await accounts.touch_session(tx, session.id, now_ms)
        return SignedIn(account, session)

    async def sessions(self, account_id: str) -> list[AccountSession]:
        """Live ones, newest first."""
        async with self._context.database.read() as tx:
            found = await accounts.sessions_of(tx, account_id)
        return [session for session in found if session.created_ms > self._context.oldest_session_ms]

    async def local_key(self, session_id: str) -> str:
        """What this browser seals its local copies with: the same as long as it is signed in."""
        async with self._context.database.write() as tx:
            key = await local_keys.of_session(tx, session_id)
            if key is None:
                key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
                await local_keys.put(tx, session_id, key)
            return key

    async def revoke(self, account_id: str, session_id: str, address: str) -> None:
        """Ends a signed-in browser and every seat taken with it. Raises Refused `not_found`."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            if not await accounts.revoke_session(tx, account_id, session_id, now_ms):
                raise Refused("not_found")
            await local_keys.destroy_revoked(tx)
            fallen = await seats.revoke_credentials_of_session(tx, session_id, now_ms)
            await audit.append(
                tx,
                now_ms,
                audit.Entry("session_revoked", "session", session_id, address, account_id=account_id),
            )
        for credential_id in fallen:
            await self._context.live.credential_revoked(credential_id)
