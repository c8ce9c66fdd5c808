"""The real web front on loopback, the demo's world behind it and a clock to turn; no media, no sockets.

Everything is the application's own: database on disk, services, routes. Only the rooms are absent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher

from server.config import Settings, load_settings
from server.decode.decoder import Decoder
from server.documents import CHECKS, DocumentKeeping, documents_of, watch_documents
from server.playback.flags import Flags
from server.playback.interpretation import Interpretations
from server.playback.playback import Playback
from server.runtime.bucket import Bucket
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.services.bundle import Services, build_services
from server.services.context import Context, unix_ms
from server.services.demo import Demo, DemoTable
from server.services.exports import build_exports
from server.services.passwords import Passwords
from server.storage.database import Database
from server.web.documents import DOCUMENTS
from server.web.exports import EXPORTS
from server.web.factory import build_web
from server.web.front import FrontRunner
from server.web.health import Health
from server.web.protection import security_headers
from server.web.recordings import PLAYBACK
from server.web.renderings import FLAGS, INTERPRETATIONS
from tests.support.fresh import migrated
from tests.support.ports import free_port

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


class Clock:
    """Unix milliseconds that a test can move forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return unix_ms() + self.ahead_ms

    def turn_to(self, at: datetime) -> None:
        """It is this moment now, and goes on from there."""
        self.ahead_ms += round(at.timestamp() * 1000) - self()

    def advance(self, *, seconds: float = 0, hours: float = 0) -> None:
        self.ahead_ms += int((seconds + hours * 3600) * 1000)


@dataclass(slots=True)
class Answer:
    """A response read whole."""

    status: int
    headers: Any
    text: str
    json: Any

    @property
    def code(self) -> str | None:
        return self.json["error"]["code"] if isinstance(self.json, dict) and "error" in self.json else None


class Browser:
    """One browser profile: its own cookies."""

    def __init__(self, base_url: str, address: str | None) -> None:
        headers = {"X-Forwarded-For": address} if address else {}
        self.base_url = base_url
        self._http = aiohttp.ClientSession(
            base_url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers
        )

    async def get(self, path: str, **more: Any) -> Answer:
        return await self._ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self._ask("POST", path, json=body, **more)

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        return await self._ask(method, path, **more)

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self._http.cookie_jar}

    async def _ask(self, method: str, path: str, **more: Any) -> Answer:
        async with self._http.request(method, path, allow_redirects=False, **more) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text
            return Answer(response.status, response.headers, text, await response.json() if is_json else None)

    async def close(self) -> None:
        await self._http.close()


@dataclass(slots=True)
class Website:
    settings: Settings
    services: Services
    clock: Clock
    table: DemoTable
    world: Demo
    stack: contextlib.AsyncExitStack
    address: str  # where it really listens; public_url may say otherwise, as behind a proxy
    runner: web.AppRunner | None = None
    decoder: Decoder | None = None  # another than the server's own
    remote: Bucket | None = None  # where finished documents move to
    documents: DocumentKeeping | None = None  # its checks run when a test says so

    async def listen(self) -> None:
        health = Health()
        app = build_web(self.settings, self.services, health)
        keys, objects = KeyStore.open(self.settings.data_dir), Objects(self.settings.objects_dir)
        app[PLAYBACK] = Playback(self.database, self.services.recordings, keys, objects, self.clock)
        app[EXPORTS] = build_exports(self.services.context, self.services.recordings, keys, objects)
        app[INTERPRETATIONS] = Interpretations(self.database, self.services.recordings, app[PLAYBACK])
        app[FLAGS] = Flags(self.services.context, app[INTERPRETATIONS], app[PLAYBACK])
        documents = documents_of(self.services.context, keys, self.remote, decoder=self.decoder)
        app[DOCUMENTS], app[CHECKS] = documents.parts, documents.checks
        self.documents = documents
        watch_documents(health, documents)
        headers = security_headers(self.settings)
        self.runner = FrontRunner(app, headers, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", int(self.address.rsplit(":", 1)[1])).start()

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()

    async def restart_under(self, public_url: str) -> None:
        """The same front, now told that people come through a proxy at `public_url`."""
        await self.stop()
        self.settings = self.settings.model_copy(update={"public_url": public_url})
        self.services.context.settings = self.settings
        await self.listen()

    @property
    def database(self) -> Database:
        return self.services.context.database

    def browser(self, address: str | None = None) -> Browser:
        """A new profile; `address` is told by the (trusted) proxy in front."""
        made = Browser(self.address, address)
        self.stack.push_async_callback(made.close)
        return made

    def password(self, role: str) -> tuple[str, str]:
        account = next(account for account in self.table.accounts if account.role == role)
        return account.email, account.password

    async def signed_in(self, role: str, address: str | None = None) -> Browser:
        browser = self.browser(address)
        email, password = self.password(role)
        answer = await browser.post("/api/sign-in", {"email": email, "password": password})
        assert answer.status == 200, answer.text
        return browser

    def seat(self, role: str) -> tuple[str, str]:
        """(seat id, link token)"""
        url = next(seat.room_url for seat in self.table.seats if seat.role == role)
        page, token = url.split("#")
        return page.rsplit("/", 1)[1], token


@contextlib.asynccontextmanager
async def website(
    folder: Path,
    *,
    at: datetime | None = None,
    patient: bool = False,
    decoder: Decoder | None = None,
    remote: Bucket | None = None,
    **overrides: Any,
) -> AsyncIterator[Website]:
    """A running front with the demo's accounts, case and seats; its clock begins `at` a time, or is ours."""
    async with contextlib.AsyncExitStack() as stack:
        port = free_port()
        given = {
            "data_dir": folder,
            "public_url": f"http://localhost:{port}",
            "trusted_proxies": ("127.0.0.1",),
            "demo": True,
            "idle_lock_minutes": 0,  # clocks are turned by hours here; the lock has tests of its own
        } | overrides
        settings = load_settings(None, **given)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        database = Database(settings.database)
        stack.push_async_callback(database.close)
        await migrated(database)
        clock = Clock()
        if at is not None:
            clock.turn_to(at)
        services = build_services(Context(settings, database, clock), Passwords(CHEAP))
        stack.callback(services.passwords.close)
        world = Demo(services, settings.secrets_dir / "demo.json", patient=patient)
        table = await world.prepare()
        made = Website(settings, services, clock, table, world, stack, f"http://localhost:{port}")
        made.decoder, made.remote = decoder, remote
        stack.push_async_callback(made.stop)
        await made.listen()
        yield made
