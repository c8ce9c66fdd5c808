"""What `hyeopjin doctor` asks of the OpenID provider: what it says of itself, and its keys."""

from __future__ import annotations

import asyncio
from typing import Literal

from server.config import Settings
from server.domain.errors import Refused
from server.runtime.provider import Provider, client_secret

State = Literal["green", "yellow", "grey", "red"]
Found = tuple[State, str, str]


def check(settings: Settings) -> Found:
    if not settings.oidc.issuer:
        return "grey", "not_configured", "nobody signs in by an organisation's own sign-in"
    return asyncio.run(_check(settings))


async def _check(settings: Settings) -> Found:
    provider = Provider()
    try:
        secret = await client_secret(settings)
    except Refused:
        return "red", "no_secret", "the file of the client's secret cannot be read"
    try:
        await provider.described(settings.oidc)
        keys = await provider.keys(settings.oidc, None)
    except Refused as refused:
        return "red", refused.code, f"{settings.oidc.issuer} does not say, by https, what it is"
    if not keys["keys"]:
        return "red", "no_keys", f"{settings.oidc.issuer} has no key to sign with"
    if secret is None:
        return "yellow", "public_client", "there is no client's secret: right for a public client only"
    return "green", "ok", ""
