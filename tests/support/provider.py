"""A small OpenID provider on loopback: real HTTP, real keys, and every lie that a test wants of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import queue
import secrets
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.support.ports import free_port

CLIENT, SECRET = "hyeopjin-test", "a secret: of the client"
Key = RSAKey | ECKey | OKPKey

_RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa", "use": "sig"})
_EC = ECKey.generate_key("P-256", parameters={"kid": "ec", "use": "sig"})
_OKP = OKPKey.generate_key("Ed25519", parameters={"kid": "okp", "use": "sig"})
KEYS: dict[str, Key] = {"RS256": _RSA, "ES256": _EC, "EdDSA": _OKP}
STRANGER = RSAKey.generate_key(2048, parameters={"kid": "rsa", "use": "sig"})


@dataclass(slots=True)
class Mock:
    """`claims`: instead of the right ones; None as a value leaves one out."""

    issuer: str
    clock: Callable[[], int]
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Key | None = None  # another than the published one
    described: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)  # by code: what the browser was sent with
    down: bool = False  # the exchange fails
    runner: web.AppRunner | None = None

    def signs_in(self, location: str) -> dict[str, str]:
        """A browser comes with `location`, its person signs in: what the browser brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT)
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.asked[code] = query
        return {"code": code, "state": query["state"], "iss": self.issuer}

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()

    def token(self, nonce: str) -> str:
        now_s = self.clock() // 1000
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now_s, "exp": now_s + 300, "nonce": nonce}
        claims |= self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "none":
            body = jwt.encode({"alg": "RS256"}, claims, KEYS["RS256"]).split(".")[1]
            return base64.urlsafe_b64encode(b'{"alg":"none","kid":"rsa"}').decode().rstrip("=") + f".{body}."
        key = self.key or KEYS[self.algorithm]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return jwt.encode(
                {"alg": self.algorithm, "kid": key.kid}, claims, key, algorithms=[self.algorithm]
            )

    async def describe(self, _request: web.Request) -> web.Response:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "jwks_uri": self.issuer + "/keys",
        }
        return web.json_response(said | self.described)

    async def keys(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [key.as_dict(private=False) for key in KEYS.values()]})

    async def authorize(self, request: web.Request) -> web.Response:
        """The page that a person sees there: they sign in, or think better of it."""
        brought = self.signs_in(str(request.url))
        back = request.query["redirect_uri"]
        gone = {"error": "access_denied", "state": brought["state"]}
        page = (
            "<!doctype html><title>Example Hospital</title><h1>Example Hospital (synthetic)</h1>"
            + "".join(
                f'<p><a id="{name}" href="{escape(f"{back}?{urlencode(query)}")}">{name}</a></p>'
                for name, query in (("continue", brought), ("cancel", gone))
            )
        )
        return web.Response(text=page, content_type="text/html")

    async def exchange(self, request: web.Request) -> web.Response:
        form = await request.post()
        if self.down:
            return web.Response(status=502)
        query = self.asked.pop(str(form["code"]), None)  # each code once
        basic = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if (
            query is None
            or basic != f"{CLIENT}:a+secret%3A+of+the+client"
            or form["redirect_uri"] != query["redirect_uri"]
            or challenge.decode().rstrip("=") != query["code_challenge"]
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"id_token": self.token(query["nonce"]), "token_type": "Bearer"})


@contextlib.contextmanager
def provider_beside(clock: Callable[[], int]) -> Iterator[Mock]:
    """The same for a test without a loop: in a thread of its own."""
    made: queue.Queue[tuple[Mock, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def serve() -> None:
        over = asyncio.Event()
        async with provider(clock) as mock:
            made.put((mock, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    mock, loop, over = made.get(timeout=30)
    try:
        yield mock
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


@contextlib.asynccontextmanager
async def provider(clock: Callable[[], int]) -> AsyncIterator[Mock]:
    port = free_port()
    mock = Mock(f"http://127.0.0.1:{port}", clock)
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", mock.describe)
    app.router.add_get("/keys", mock.keys)
    app.router.add_get("/authorize", mock.authorize)
    app.router.add_post("/token", mock.exchange)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    mock.runner = runner
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield mock
    finally:
        await runner.cleanup()
