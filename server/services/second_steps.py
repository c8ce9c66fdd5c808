"""Second steps: an authenticator app's codes, and recovery codes for when it is lost."""

from __future__ import annotations

import base64
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from server.domain import totp
from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.signed_in import is_proven
from server.services import account_mails
from server.services.accounts import SignedIn, require_proof
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.qr import squares
from server.services.secret_box import SecretBox
from server.storage import accounts, audit, passkeys, second_steps
from server.storage.database import Transaction
from server.storage.ids import hashed

CODES, CODE_BYTES = 10, 10
_TOTP = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(r"[A-Z2-7]{16}")


class SecondSteps:
    def __init__(self, context: Context, attempts: Attempts, box: SecretBox) -> None:
        self._context = context
        self._attempts = attempts
        self._box = box

    async def state(self, signed_in: SignedIn) -> dict[str, Any]:
        """What there is, without a secret."""
        account = signed_in.account
        async with self._context.database.read() as tx:
            row = await second_steps.totp(tx, account.id)
            return {
                "password": await accounts.has_password(tx, account.id),
                "totp": row is not None and row.confirmed_ms is not None,
                "passkeys": await passkeys.listed(tx, account.id),
                "recovery_left": await second_steps.recovery_left(tx, account.id),
                "required": is_required(self._context, account),
                "proven": is_proven(signed_in.session, self._context.now_ms()),
            }

    async def begin_totp(self, signed_in: SignedIn) -> dict[str, Any]:
        """A new secret, shown this once: it counts when a code of it was seen. Raises Refused
        `proof_required`, `second_step_set` (there is one)."""
        require_proof(self._context, signed_in)
        account, secret = signed_in.account, secrets.token_bytes(totp.SECRET_BYTES)
        sealed = await self._box.seal(secret, account.id)
        async with self._context.database.write() as tx:
            row = await second_steps.totp(tx, account.id)
            if row is not None and row.confirmed_ms is not None:
                raise Refused("second_step_set")
            await second_steps.put_totp(tx, account.id, sealed, self._context.now_ms())
        issuer = urlsplit(self._context.settings.public_url).hostname or ""
        address = totp.address(secret, issuer, account.email)
        return {"secret": totp.base32(secret), "address": address, "qr": squares(address)}

    async def confirm_totp(self, signed_in: SignedIn, code: str, address: str) -> list[str]:
        """Recovery codes, shown this once; [] when there are some already.

        Raises Refused `proof_required`, `code_refused`, `too_many_attempts`.
        """
        require_proof(self._context, signed_in)
        account, now_ms = signed_in.account, self._context.now_ms()
        await self._attempts.second_step(account.id, address)
        async with self._context.database.write() as tx:
            if not await self.takes_code(tx, account.id, code, confirmed=False):
                raise Refused("code_refused")
            await second_steps.confirm_totp(tx, account.id, now_ms)
            made = await first_step_set(tx, self._context, signed_in, "totp", address)
        await self._attempts.second_step_taken(account.id, address)
        return made

    async def remove_totp(self, signed_in: SignedIn, address: str) -> None:
        """Raises Refused `proof_required`, `not_found`, `second_step_needed` (a role asks for one)."""
        require_proof(self._context, signed_in)
        account, now_ms = signed_in.account, self._context.now_ms()
        async with self._context.database.write() as tx:
            if not await second_steps.drop_totp(tx, account.id):
                raise Refused("not_found")
            await step_removed(tx, self._context, account)
            await account_mails.write(tx, account.id, "totp_off", now_ms)
            await audit.append(tx, now_ms, _entry("totp_off", account, address))

    async def renew_recovery(self, signed_in: SignedIn, address: str) -> list[str]:
        """New ones; the old are dead. Raises Refused `proof_required`, `second_step_missing`."""
        require_proof(self._context, signed_in)
        account, now_ms = signed_in.account, self._context.now_ms()
        async with self._context.database.write() as tx:
            if not await ways(tx, account.id):
                raise Refused("second_step_missing")
            made = await _new_codes(tx, account.id, now_ms)
            await audit.append(tx, now_ms, _entry("recovery_codes_made", account, address))
        return made

    async def takes_code(
        self, tx: Transaction, account_id: str, code: str, *, confirmed: bool = True
    ) -> bool:
        """Uses a code of the app up: each is taken once."""
        row = await second_steps.totp(tx, account_id)
        if row is None or not _TOTP.fullmatch(code) or (confirmed and row.confirmed_ms is None):
            return False
        secret = await self._box.open(row.sealed, account_id)
        if secret is None:
            return False
        counter = totp.matching(secret, code, self._context.now_ms(), row.counter)
        return counter is not None and await second_steps.use_counter(tx, account_id, counter)

    async def takes_recovery(self, tx: Transaction, account: Account, code: str, address: str) -> bool:
        """Uses a recovery code up, and tells its owner."""
        now_ms, plain = self._context.now_ms(), re.sub(r"[\s-]", "", code).upper()
        if not _RECOVERY.fullmatch(plain):
            return False
        if not await second_steps.use_recovery(tx, account.id, hashed(plain), now_ms):
            return False
        await account_mails.write(tx, account.id, "recovery_used", now_ms)
        await audit.append(tx, now_ms, _entry("recovery_used", account, address))
        return True


async def ways(tx: Transaction, account_id: str) -> list[str]:
    """Which second steps an account has: totp, passkey, and recovery beside one of them."""
    row = await second_steps.totp(tx, account_id)
    found = ["totp"] if row is not None and row.confirmed_ms is not None else []
    found += ["passkey"] if await passkeys.of_account(tx, account_id) else []
    if found and await second_steps.recovery_left(tx, account_id):
        found.append("recovery")
    return found


def is_required(context: Context, account: Account) -> bool:
    return not set(account.roles).isdisjoint(context.settings.second_step_roles)


async def first_step_set(
    tx: Transaction, context: Context, signed_in: SignedIn, kind: str, address: str
) -> list[str]:
    """Notes and tells that a second step was set up. Recovery codes when it is the first."""
    account, now_ms = signed_in.account, context.now_ms()
    await accounts.note_proof(tx, signed_in.session.id, now_ms, kind)
    await account_mails.write(tx, account.id, f"{kind}_on", now_ms)
    await audit.append(tx, now_ms, _entry(f"{kind}_on", account, address))
    if await second_steps.recovery_left(tx, account.id):
        return []
    return await _new_codes(tx, account.id, now_ms)


async def step_removed(tx: Transaction, context: Context, account: Account) -> None:
    """Recovery codes go with the last second step. Raises Refused `second_step_needed`."""
    if await ways(tx, account.id):
        return
    if is_required(context, account):
        raise Refused("second_step_needed")
    await second_steps.drop_recovery(tx, account.id)


async def _new_codes(tx: Transaction, account_id: str, now_ms: int) -> list[str]:
    made = [base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode() for _ in range(CODES)]
    await second_steps.put_recovery(tx, account_id, [hashed(each) for each in made], now_ms)
    return ["-".join(each[at : at + 4] for at in range(0, 16, 4)) for each in made]


def _entry(action: str, account: Account, address: str) -> audit.Entry:
    return audit.Entry(action, "account", account.id, address, account_id=account.id)
