"""Signed-in browsers: whose they are, what they may do now, locked and unlocked, and how they end."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field

from server.domain.errors import Refused
from server.domain.password import weakness
from server.domain.people import Account, AccountSession, in_force, session_is_live
from server.domain.signed_in import Standing, is_idle, is_proven, standing
from server.services import account_mails
from server.services.context import Context, RoomsAwayError
from server.services.ending import end_sessions, replace_password, tell
from server.services.limiting import Attempts
from server.services.passwords import Passwords
from server.storage import accounts, audit, local_keys, presence, seats
from server.storage.database import Transaction
from server.storage.ids import hashed

TOUCH_MS = 60_000


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A request's proven account. `secret` is the cookie's value, only right after signing in."""

    account: Account
    session: AccountSession
    standing: Standing
    secret: str = field(default="", repr=False)


class Accounts:
    def __init__(self, context: Context, passwords: Passwords, attempts: Attempts) -> None:
        self._context = context
        self._passwords = passwords
        self._attempts = attempts

    async def authenticate(self, secret: str | None) -> SignedIn | None:
        """Who a session cookie proves, if it still does."""
        if not secret:
            return None
        context, now_ms = self._context, self._context.now_ms()
        async with context.database.read() as tx:
            found = await accounts.session_by_token(tx, hashed(secret))
        lifetime_ms = context.settings.account_session_hours * 3_600_000
        if found is None or found[1].disabled or not session_is_live(found[0], now_ms, lifetime_ms):
            return None
        session, account = found[0], in_force(found[1], now_ms)
        in_call = is_idle(session, now_ms, context.settings.idle_ms) and await self._in_call(session, now_ms)
        if in_call or now_ms - session.last_seen_ms > TOUCH_MS:
            async with context.database.write() as tx:
                await accounts.touch_session(tx, session.id, now_ms)
                if in_call:
                    await accounts.note_active(tx, session.id, now_ms)
        idle_ms = 0 if in_call else context.settings.idle_ms
        asked = context.settings.second_step_roles
        return SignedIn(account, session, standing(session, account.roles, now_ms, idle_ms, asked))

    async def _in_call(self, session: AccountSession, now_ms: int) -> bool:
        """Whether somebody sits in a room by this session since before it was idle: a live call is not idle,
        and sitting down at what is locked unlocks nothing."""
        idle_ms = self._context.settings.idle_ms
        async with self._context.database.read() as tx:
            kept = [
                (room, seat)
                for room, seat in await seats.taken_with(tx, session.id)
                if not is_idle(session, now_ms, idle_ms, await presence.sat(tx, room, seat, now_ms))
            ]
        try:
            return any([seat in await self._context.live.presence(room) for room, seat in kept])
        except RoomsAwayError:
            return True  # not known: a call is rather kept than covered

    async def active(self, session_id: str) -> None:
        """Somebody touches the page."""
        async with self._context.database.write() as tx:
            await accounts.note_active(tx, session_id, self._context.now_ms())

    async def prove(self, signed_in: SignedIn, password: str, address: str) -> None:
        """Unlocks, and lets ways of signing in be changed for a while.

        Raises Refused `proof_refused`, `too_many_attempts`.
        """
        account = signed_in.account
        await self._attempts.sign_in(hashed(account.email), address)
        async with self._context.database.read() as tx:
            found = await accounts.by_email(tx, account.email)
        if not await self._passwords.matches(found[1] if found else None, password):
            raise Refused("proof_refused")
        await self._attempts.signed_in(hashed(account.email), address)
        async with self._context.database.write() as tx:
            await note_proof(tx, self._context, signed_in, "password", address)

    async def change_password(self, signed_in: SignedIn, password: str, address: str) -> None:
        """All other sessions end, and the person is told.

        Raises Refused `proof_required`, `password_short`, `password_common`.
        """
        require_proof(self._context, signed_in)
        account, now_ms = signed_in.account, self._context.now_ms()
        if code := weakness(password, account.email, account.name):
            raise Refused(code)
        stored = await self._passwords.hash(password)
        async with self._context.database.write() as tx:
            fallen = await replace_password(tx, account.id, stored, now_ms, but=signed_in.session.id)
            await account_mails.write(tx, account.id, "password_changed", now_ms)
            detail: dict[str, int | str] = {"by": "self"}
            entry = audit.Entry("password_set", "account", account.id, address, account.id, detail=detail)
            await audit.append(tx, now_ms, entry)
        await tell(self._context, fallen)

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
            entry = audit.Entry("session_revoked", "session", session_id, address, account_id=account_id)
            await audit.append(tx, now_ms, entry)
        await tell(self._context, fallen)

    async def revoke_others(self, signed_in: SignedIn, address: str) -> None:
        """Ends all but this one."""
        account_id, now_ms = signed_in.account.id, self._context.now_ms()
        async with self._context.database.write() as tx:
            fallen = await end_sessions(tx, account_id, now_ms, but=signed_in.session.id)
            entry = audit.Entry("sessions_revoked", "account", account_id, address, account_id=account_id)
            await audit.append(tx, now_ms, entry)
        await tell(self._context, fallen)


def require_proof(context: Context, signed_in: SignedIn) -> None:
    """Raises Refused `proof_required`: it was not shown lately whose browser this is."""
    if not is_proven(signed_in.session, context.now_ms()):
        raise Refused("proof_required")


async def note_proof(tx: Transaction, context: Context, signed_in: SignedIn, how: str, address: str) -> None:
    """It was shown whose browser this is."""
    account_id, now_ms = signed_in.account.id, context.now_ms()
    await accounts.note_proof(tx, signed_in.session.id, now_ms)
    detail: dict[str, int | str] = {"by": how}
    entry = audit.Entry("session_proven", "session", signed_in.session.id, address, account_id, detail=detail)
    await audit.append(tx, now_ms, entry)
