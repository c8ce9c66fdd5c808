"""An organisation's own sign-in (OpenID Connect, authorization code with PKCE). Nobody gets an account by it.

State, nonce and verifier are kept in the database under the browser's cookie, for minutes, and used up by the
first answer. An account is found by the provider's subject; once, before that, by a verified address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from server.domain.errors import Refused
from server.domain.people import Account, normalised_email
from server.runtime.provider import Provider, client_secret
from server.services import account_mails
from server.services.accounts import SignedIn
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.provider_tokens import Vouched, key_id, vouched
from server.services.signing_in import From, HalfWay, SigningIn, begin, begun, enter
from server.storage import accounts, audit, provider_subjects, second_steps
from server.storage.database import Transaction
from server.storage.ids import hashed, new_cookie

AWAY = "provider"
PATH = "/sign-in/provider"


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser brings back from the provider: nothing of it is believed."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    issuer: str | None
    error: bool


class SingleSignOn:
    def __init__(self, context: Context, attempts: Attempts, signing_in: SigningIn) -> None:
        self._context = context
        self._attempts = attempts
        self._signing_in = signing_in
        self._provider = Provider()

    @property
    def label(self) -> str | None:
        """What the button says; None: there is no provider."""
        oidc = self._context.settings.oidc
        return oidc.label if oidc.issuer else None

    async def begin(self, next_page: str, address: str) -> tuple[str, str]:
        """Where the browser goes, and its cookie. Raises Refused `not_found` (off), `provider_down`."""
        oidc = self._context.settings.oidc
        if not oidc.issuer:
            raise Refused("not_found")
        await self._attempts.link(address)
        described = await self._provider.described(oidc)
        holder, state, nonce, verifier = new_cookie(), new_cookie(), new_cookie(), secrets.token_urlsafe(48)
        data = {"state": state, "nonce": nonce, "verifier": verifier, "next": next_page}
        async with self._context.database.write() as tx:
            await begin(tx, self._context, hashed(holder), AWAY, None, data)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "scope": "openid email",
            "client_id": oidc.client_id,
            "redirect_uri": self._redirect_uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        mark = "&" if "?" in described.authorization else "?"
        return described.authorization + mark + urlencode(query), holder

    async def finish(
        self, secret: str | None, returned: Returned, whence: From
    ) -> tuple[SignedIn | HalfWay | Refused, str]:
        """In, or half-way, or why not (`provider_down`, `provider_refused`, `provider_unverified`,
        `provider_unknown`), and the page that was asked for: a second try leads there as well.

        Raises Refused `not_found`, `step_over`, `too_many_attempts`.
        """
        if not self._context.settings.oidc.issuer:
            raise Refused("not_found")
        await self._attempts.link(whence.address)
        holder = hashed(secret or "")
        async with self._context.database.write() as tx:
            step = await begun(tx, self._context, holder, AWAY)
            if not await second_steps.end(tx, holder, AWAY):
                raise Refused("step_over")
        if not hmac.compare_digest(str(step.data["state"]).encode(), returned.state.encode()):
            raise Refused("step_over")
        next_page = str(step.data["next"])
        try:
            said = await self._vouched(returned, str(step.data["verifier"]), str(step.data["nonce"]))
            return await self._enter(said, whence), next_page
        except Refused as refused:
            if refused.code != "provider_down":
                await self._signing_in.failed(None, whence.address)
            return refused, next_page

    async def _vouched(self, returned: Returned, verifier: str, nonce: str) -> Vouched:
        settings = self._context.settings
        oidc = settings.oidc
        if returned.error or not returned.code or returned.issuer not in (None, oidc.issuer):
            raise Refused("provider_refused")
        secret = await client_secret(settings)
        token = await self._provider.exchange(oidc, secret, returned.code, verifier, self._redirect_uri)
        keys = await self._provider.keys(oidc, key_id(token))
        return vouched(token, keys, oidc, nonce, self._context.now_ms() // 1000)

    async def _enter(self, said: Vouched, whence: From) -> SignedIn | HalfWay:
        async with self._context.database.write() as tx:
            account = await self._account(tx, said, whence.address)
            if said.two_steps:
                return await enter(tx, self._context, account, whence, AWAY, AWAY)
            return await self._signing_in.on(tx, account, whence, AWAY)

    async def _account(self, tx: Transaction, said: Vouched, address: str) -> Account:
        issuer, now_ms = self._context.settings.oidc.issuer, self._context.now_ms()
        known = await provider_subjects.account_of(tx, issuer, said.subject)
        if known is not None:
            account = await accounts.by_id(tx, known)
            if account is None or account.disabled:
                raise Refused("provider_unknown")
            return account
        if not said.email:
            raise Refused("provider_unverified")
        found = await accounts.by_email(tx, normalised_email(said.email))
        if found is None or found[0].disabled or await provider_subjects.is_bound(tx, issuer, found[0].id):
            raise Refused(
                "provider_unknown"
            )  # an address given to somebody else does not give them the account
        account = found[0]
        await provider_subjects.bind(tx, issuer, said.subject, account.id, now_ms)
        await account_mails.write(tx, account.id, "provider_linked", now_ms)
        entry = audit.Entry("provider_linked", "account", account.id, address, account_id=account.id)
        await audit.append(tx, now_ms, entry)
        return account

    @property
    def _redirect_uri(self) -> str:
        return self._context.settings.public_url + PATH
