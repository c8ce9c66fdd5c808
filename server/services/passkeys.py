"""Passkeys (WebAuthn, level 2): registered, and shown to sign in, as a second step, or to unlock.

Only this file speaks WebAuthn. A challenge is kept for minutes and used once; origin and RP id are those of
`public_url`; the authenticator must have verified its user, so that one gesture is two factors.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server.domain.consent import clean_name
from server.domain.errors import Refused
from server.services import account_mails
from server.services.accounts import SignedIn, note_proof, require_proof
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.second_steps import first_step_set, step_removed
from server.services.signing_in import CODE, From, SigningIn, begin, begun, enter
from server.storage import accounts, audit, passkeys, second_steps
from server.storage.database import Transaction
from server.storage.ids import hashed, new_cookie, new_id
from server.storage.passkeys import Passkey

SHOW, MAKE = "passkey", "new_passkey"
PER_ACCOUNT = 20
_VERIFIED = UserVerificationRequirement.REQUIRED


class Passkeys:
    def __init__(self, context: Context, attempts: Attempts, signing_in: SigningIn) -> None:
        self._context = context
        self._attempts = attempts
        self._signing_in = signing_in

    async def options_to_make(self, signed_in: SignedIn) -> dict[str, Any]:
        """What the browser is asked to make. Raises Refused `proof_required`, `too_many_passkeys`."""
        require_proof(self._context, signed_in)
        account = signed_in.account
        async with self._context.database.write() as tx:
            own = await passkeys.of_account(tx, account.id)
            if len(own) >= PER_ACCOUNT:
                raise Refused("too_many_passkeys")
            options = webauthn.generate_registration_options(
                rp_id=self._rp_id,
                rp_name=self._rp_id,
                user_name=account.email,
                user_id=account.id.encode(),
                user_display_name=account.name,
                exclude_credentials=_descriptors(own),
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
                ),
            )
            data = {"challenge": bytes_to_base64url(options.challenge)}
            await begin(tx, self._context, _holder(signed_in), MAKE, account.id, data)
        return _as_json(options)

    async def make(
        self, signed_in: SignedIn, credential: dict[str, Any], name: str, address: str
    ) -> list[str]:
        """Registers it. Recovery codes, this once, when it is the first second step.

        Raises Refused `proof_required`, `step_over`, `passkey_refused`, `passkey_known`.
        """
        require_proof(self._context, signed_in)
        account, now_ms = signed_in.account, self._context.now_ms()
        async with self._context.database.write() as tx:
            challenge = await self._challenge(tx, _holder(signed_in), MAKE)
        try:
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._context.settings.public_url,
                require_user_verification=True,
            )
        except Exception:  # the library raises more than its own for what a stranger made up
            raise Refused("passkey_refused") from None
        made = Passkey(
            id=new_id(),
            account_id=account.id,
            credential_id=bytes_to_base64url(verified.credential_id),
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            name=clean_name(name)[:64],
            made_ms=now_ms,
            used_ms=None,
        )
        async with self._context.database.write() as tx:
            if await passkeys.by_credential(tx, made.credential_id) is not None:
                raise Refused("passkey_known")
            await passkeys.add(tx, made)
            return await first_step_set(tx, self._context, signed_in, "passkey", address)

    async def remove(self, signed_in: SignedIn, passkey_id: str, address: str) -> None:
        """Raises Refused `proof_required`, `not_found`, `second_step_needed`."""
        require_proof(self._context, signed_in)
        account, now_ms = signed_in.account, self._context.now_ms()
        async with self._context.database.write() as tx:
            if not await passkeys.remove(tx, account.id, passkey_id):
                raise Refused("not_found")
            await step_removed(tx, self._context, account)
            await account_mails.write(tx, account.id, "passkey_off", now_ms)
            entry = audit.Entry("passkey_off", "account", account.id, address, account_id=account.id)
            await audit.append(tx, now_ms, entry)

    async def options_to_sign_in(self, secret: str | None, address: str) -> tuple[dict[str, Any], str]:
        """For whoever comes, or for whose second step `secret` is; with the browser's cookie."""
        await self._attempts.link(address)
        holder = secret or new_cookie()
        async with self._context.database.write() as tx:
            half = await second_steps.step(tx, hashed(holder), CODE)
            own = await passkeys.of_account(tx, half.account_id) if half and half.account_id else []
            return await self._options(tx, hashed(holder), own), holder

    async def sign_in(self, secret: str | None, credential: dict[str, Any], whence: From) -> SignedIn:
        """A passkey alone is two factors: the device, and whatever it verified its user by.

        Raises Refused `step_over`, `passkey_refused`, `too_many_attempts`.
        """
        await self._attempts.link(whence.address)
        holder = hashed(secret or "")
        async with self._context.database.write() as tx:
            half = await second_steps.step(tx, holder, CODE)
            challenge = await self._challenge(tx, holder, SHOW)
        async with self._context.database.write() as tx:
            shown = await self._shown(tx, challenge, credential)
            account = await accounts.by_id(tx, shown.account_id)
            other = half is not None and half.account_id != shown.account_id
            if account is None or account.disabled or other:
                raise Refused("passkey_refused")
            await second_steps.end(tx, holder, CODE)
            return await enter(tx, self._context, account, whence, "passkey", "passkey")

    async def options_to_prove(self, signed_in: SignedIn) -> dict[str, Any]:
        """Raises Refused `passkey_missing`."""
        async with self._context.database.write() as tx:
            own = await passkeys.of_account(tx, signed_in.account.id)
            if not own:
                raise Refused("passkey_missing")
            return await self._options(tx, _holder(signed_in), own)

    async def prove(self, signed_in: SignedIn, credential: dict[str, Any], address: str) -> None:
        """Unlocks, as the password does. Raises Refused `step_over`, `passkey_refused`."""
        async with self._context.database.write() as tx:
            challenge = await self._challenge(tx, _holder(signed_in), SHOW)
        async with self._context.database.write() as tx:
            shown = await self._shown(tx, challenge, credential)
            if shown.account_id != signed_in.account.id:
                raise Refused("passkey_refused")
            await note_proof(tx, self._context, signed_in, "passkey", address)

    async def _options(self, tx: Transaction, holder: str, own: list[Passkey]) -> dict[str, Any]:
        options = webauthn.generate_authentication_options(
            rp_id=self._rp_id, user_verification=_VERIFIED, allow_credentials=_descriptors(own)
        )
        data = {"challenge": bytes_to_base64url(options.challenge)}
        await begin(tx, self._context, holder, SHOW, None, data)
        return _as_json(options)

    async def _challenge(self, tx: Transaction, holder: str, kind: str) -> bytes:
        """Used up, whatever comes of it. Raises Refused `step_over`."""
        step = await begun(tx, self._context, holder, kind)
        await second_steps.end(tx, holder, kind)
        return base64url_to_bytes(str(step.data["challenge"]))

    async def _shown(self, tx: Transaction, challenge: bytes, credential: dict[str, Any]) -> Passkey:
        """The passkey that was used. Raises Refused `passkey_refused`."""
        found = await passkeys.by_credential(tx, str(credential.get("id")))
        if found is None:
            raise Refused("passkey_refused")
        try:
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._context.settings.public_url,
                credential_public_key=base64url_to_bytes(found.public_key),
                credential_current_sign_count=found.sign_count,
                require_user_verification=True,
            )
        except Exception:  # as above
            raise Refused("passkey_refused") from None
        if not await passkeys.use(tx, found, verified.new_sign_count, self._context.now_ms()):
            raise Refused("passkey_refused")
        return found

    @property
    def _rp_id(self) -> str:
        return urlsplit(self._context.settings.public_url).hostname or ""


def _holder(signed_in: SignedIn) -> str:
    return hashed(signed_in.session.id)


def _descriptors(own: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential_id)) for each in own]


def _as_json(options: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return made
