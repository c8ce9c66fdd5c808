"""The ways in: a password and, where there is one, a second step. Every way ends in `enter`.

Between the two a browser holds a cookie for a few minutes that proves the first step alone and opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from server.domain.calendar import MINUTE_MS
from server.domain.errors import Refused
from server.domain.people import Account, AccountSession, in_force, normalised_email
from server.domain.signed_in import Standing
from server.domain.trail import SIGN_IN_FAILED
from server.services.accounts import SignedIn
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.passwords import Passwords
from server.services.second_steps import SecondSteps, ways
from server.storage import accounts, audit, second_steps
from server.storage.database import Transaction
from server.storage.ids import hashed, new_cookie, new_id
from server.storage.second_steps import Step

STEP_LIFE_MS = 5 * MINUTE_MS
TRIES = 5
CODE = "code"


@dataclass(frozen=True, slots=True)
class From:
    """Where somebody signs in from."""

    address: str = field(repr=False)
    agent: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HalfWay:
    """The password was right; one of these second steps is asked for. `secret`: the cookie's value."""

    ways: list[str]
    secret: str = field(repr=False)


class SigningIn:
    def __init__(
        self, context: Context, passwords: Passwords, attempts: Attempts, steps: SecondSteps
    ) -> None:
        self._context = context
        self._passwords = passwords
        self._attempts = attempts
        self._steps = steps

    async def by_password(self, email: str, password: str, whence: From) -> SignedIn | HalfWay:
        """Raises Refused `sign_in_refused` (the same for an unknown account) or `too_many_attempts`."""
        key = normalised_email(email)
        await self._attempts.sign_in(hashed(key), whence.address)
        async with self._context.database.read() as tx:
            found = await accounts.by_email(tx, key)
        right = await self._passwords.matches(found[1] if found else None, password)
        if found is None or not right or found[0].disabled:
            await self.failed(found[0].id if found else None, whence.address)
            raise Refused("sign_in_refused")
        await self._attempts.signed_in(hashed(key), whence.address)
        async with self._context.database.write() as tx:
            return await self.on(tx, found[0], whence, "password")

    async def failed(self, account_id: str | None, address: str) -> None:
        """An entry, the same whether there is such an account; what was typed is nowhere."""
        if not await self._attempts.failure_is_noted(address):
            return
        entry = audit.Entry(
            SIGN_IN_FAILED, "account", account_id or "unknown", address, account_id=account_id
        )
        async with self._context.database.write() as tx:
            await audit.append(tx, self._context.now_ms(), entry)

    async def on(self, tx: Transaction, account: Account, whence: From, how: str) -> SignedIn | HalfWay:
        """After a first step: in, or half-way where the account has a second one."""
        asked = await ways(tx, account.id)
        if not asked:
            return await enter(tx, self._context, account, whence, how)
        secret = new_cookie()
        await begin(tx, self._context, hashed(secret), CODE, account.id, {"how": how})
        return HalfWay(asked, secret)

    async def by_code(self, secret: str | None, code: str, whence: From) -> SignedIn:
        """A code of the app or a recovery code, after the password.

        Raises Refused `step_over` (begin again), `code_refused`, `too_many_attempts`.
        """
        holder, step = await self.half_way(secret)
        account_id = step.account_id or ""
        await self._attempts.second_step(account_id, whence.address)
        async with self._context.database.write() as tx:
            await second_steps.count_try(tx, holder, CODE)  # counted whatever comes of it
        async with self._context.database.write() as tx:
            account = await _alive(tx, account_id)
            if await self._steps.takes_code(tx, account.id, code):
                kind = "totp"
            elif await self._steps.takes_recovery(tx, account, code, whence.address):
                kind = "recovery"
            else:
                raise Refused("code_refused")
            if not await second_steps.end(tx, holder, CODE):
                raise Refused("step_over")
            outcome = await enter(tx, self._context, account, whence, str(step.data["how"]), kind)
        await self._attempts.second_step_taken(account_id, whence.address)
        return outcome

    async def half_way(self, secret: str | None) -> tuple[str, Step]:
        """Whose second step a browser's cookie may show. Raises Refused `step_over`."""
        async with self._context.database.read() as tx:
            step = await begun(tx, self._context, hashed(secret or ""), CODE)
        if step.tries >= TRIES:
            raise Refused("step_over")
        return hashed(secret or ""), step


async def begin(
    tx: Transaction, context: Context, holder: str, kind: str, account_id: str | None, data: dict[str, str]
) -> None:
    now_ms = context.now_ms()
    await second_steps.begin(tx, holder, Step(kind, account_id, data, now_ms, 0), now_ms - STEP_LIFE_MS)


async def begun(tx: Transaction, context: Context, holder: str, kind: str) -> Step:
    """Raises Refused `step_over`: none, or too long ago."""
    step = await second_steps.step(tx, holder, kind)
    if step is None or context.now_ms() - step.made_ms >= STEP_LIFE_MS:
        raise Refused("step_over")
    return step


async def enter(
    tx: Transaction, context: Context, account: Account, whence: From, how: str, second_step: str = ""
) -> SignedIn:
    """A signed-in browser begins."""
    now_ms, secret = context.now_ms(), new_cookie()
    session = AccountSession(
        new_id(), account.id, now_ms, now_ms, None, whence.agent[:200], second_step, now_ms, now_ms
    )
    await accounts.add_session(tx, session, hashed(secret))
    detail: dict[str, int | str] = {"by": how, "second": second_step}
    entry = audit.Entry("sign_in", "account", account.id, whence.address, account.id, detail=detail)
    await audit.append(tx, now_ms, entry)
    return SignedIn(in_force(account, now_ms), session, Standing.FULL, secret)


async def _alive(tx: Transaction, account_id: str) -> Account:
    account = await accounts.by_id(tx, account_id)
    if account is None or account.disabled:
        raise Refused("step_over")
    return account
