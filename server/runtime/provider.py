"""Talks to an OpenID provider: what it says of itself, its keys, a code for a token. It believes nothing.

Every answer is bounded in time and size, redirects are not followed, and no address is asked but by https.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import aiohttp

from server.config import Settings
from server.domain.errors import Refused
from server.oidc_settings import Oidc, is_safe

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
LARGEST = 256 * 1024
KEPT_S, KEYS_AGAIN_S = 600.0, 30.0
"""So long what it says of itself is kept; and keys, when a token names one that is not among them."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a provider says of itself."""

    authorization: str
    token: str
    keys: str
    in_body: bool  # it takes the client's secret in the body only


class Provider:
    """One provider as the settings name it. Raises Refused `provider_down`, `provider_refused`."""

    def __init__(self) -> None:
        self._described: tuple[float, str, Described] | None = None
        self._keys: tuple[float, str, dict[str, Any]] | None = None

    async def described(self, oidc: Oidc) -> Described:
        kept = self._described
        if kept and kept[1] == oidc.issuer and time.monotonic() - kept[0] < KEPT_S:
            return kept[2]
        said = await _get(oidc.issuer.rstrip("/") + "/.well-known/openid-configuration")
        addresses = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        if said.get("issuer") != oidc.issuer or not all(
            isinstance(each, str) and is_safe(each, near=oidc.is_near) for each in addresses
        ):
            raise Refused("provider_down")
        methods = said.get("token_endpoint_auth_methods_supported")
        in_body = isinstance(methods, list) and "client_secret_basic" not in methods
        authorization, token, keys = map(str, addresses)
        made = Described(authorization, token, keys, in_body)
        self._described = (time.monotonic(), oidc.issuer, made)
        return made

    async def keys(self, oidc: Oidc, kid: str | None) -> dict[str, Any]:
        """Its key set; asked for anew when `kid` is not among those that are kept."""
        kept = self._keys
        if kept and kept[1] == oidc.issuer:
            known = kid is None or any(key.get("kid") == kid for key in kept[2]["keys"])
            if time.monotonic() - kept[0] < (KEPT_S if known else KEYS_AGAIN_S):
                return kept[2]
        said = await _get((await self.described(oidc)).keys)
        listed = said.get("keys")
        if not isinstance(listed, list) or not all(isinstance(key, dict) for key in listed):
            raise Refused("provider_down")
        made = {"keys": [key for key in listed if key.get("use", "sig") == "sig"]}
        self._keys = (time.monotonic(), oidc.issuer, made)
        return made

    async def exchange(
        self, oidc: Oidc, secret: str | None, code: str, verifier: str, redirect_uri: str
    ) -> str:
        """The id_token for a code."""
        described = await self.described(oidc)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        headers = {}
        if secret is None or described.in_body:
            form["client_id"] = oidc.client_id
        if secret is not None and described.in_body:
            form["client_secret"] = secret
        elif secret is not None:
            pair = f"{quote_plus(oidc.client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        said = await _ask("POST", described.token, data=form, headers=headers)
        token = said.get("id_token")
        if not isinstance(token, str):
            raise Refused("provider_refused")
        return token


def secret_path(settings: Settings) -> Path:
    return settings.oidc.secret_file or settings.secrets_dir / "oidc_client_secret"


async def client_secret(settings: Settings) -> str | None:
    """None: a public client. Raises Refused `provider_down` when there is one that cannot be read."""
    path = secret_path(settings)
    try:
        return (await asyncio.to_thread(path.read_text, encoding="utf-8")).strip()
    except FileNotFoundError:
        if settings.oidc.secret_file is None:
            return None
        raise Refused("provider_down") from None
    except (OSError, UnicodeDecodeError):
        raise Refused("provider_down") from None


async def _get(url: str) -> dict[str, Any]:
    try:
        return await _ask("GET", url)
    except Refused:  # it refuses to say what everybody may know
        raise Refused("provider_down") from None


async def _ask(method: str, url: str, **more: Any) -> dict[str, Any]:
    """A JSON object. Raises Refused `provider_refused` (4xx: it knows why), `provider_down`."""
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as http,
            http.request(method, url, allow_redirects=False, **more) as answer,
        ):
            body = await _bounded(answer.content)
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        raise Refused("provider_down") from None
    if 400 <= status < 500:
        raise Refused("provider_refused")
    try:
        said = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Refused("provider_down")
    return said


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > LARGEST:
            raise Refused("provider_down")
    return bytes(body)
