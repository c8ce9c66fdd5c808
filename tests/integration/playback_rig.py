"""A finalised recording behind the real web application on loopback, and people with browser sessions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiohttp import ClientSession, CookieJar, web

from server.config import Settings
from server.domain.people import Account, AccountSession
from server.playback.playback import Playback
from server.runtime.bucket import Bucket
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.generation import Generation
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.services.bundle import Services, build_services
from server.services.context import Context
from server.storage import accounts, cases
from server.storage.ids import hashed, new_cookie
from server.web.factory import build_web
from server.web.health import Health
from server.web.recordings import PLAYBACK
from tests.support.journals import CASE, RECORDING, SITE, Books, Noisy, make_books, people, record
from tests.support.recorded import Person


@dataclass(frozen=True, slots=True)
class Profile:
    """One browser of one account."""

    account: str
    session: str
    secret: str


class PlaybackRig:
    """`open` records two people for some seconds, finalises, and serves; `close` ends it."""

    books: Books
    services: Services
    base: str

    kind: type[Person] = Noisy

    async def open(self, data: Path, seconds: float = 4.0, remote: Bucket | None = None) -> Self:
        self.data = data
        self.books = await make_books(data)
        self.keys = KeyStore.open(data)
        self.objects = Objects(data / "objects", remote=remote)
        await record(data, self.keys, self.people(), seconds=seconds)
        self.queue = Finalising(
            self.books.rows, self.keys, self.objects, FinalisingOptions(data / "journal", 0)
        )
        await self.queue.start()
        await self.queue.idle()
        await self._serve()
        return self

    def people(self) -> list[Person]:
        """Who is recorded."""
        return people(2, self.kind)

    async def _serve(self) -> None:
        settings = Settings(public_url="http://localhost:8080", data_dir=self.data)
        self.services = build_services(Context(settings, self.books.database))
        app = build_web(settings, self.services, Health())
        app[PLAYBACK] = Playback(self.books.database, self.books.rows, self.keys, self.objects)
        await self.add_more(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self.base = f"http://127.0.0.1:{self.port}"

    async def add_more(self, app: web.Application) -> None:
        """What a rig of another part needs before the application starts."""

    async def close(self) -> None:
        await self._runner.cleanup()
        await self.queue.stop()
        self.services.passwords.close()
        await self.books.database.close()

    async def profile(self, account: str, roles: tuple[str, ...], *relations: str) -> Profile:
        """An account with these roles and relations to the case, signed in."""
        now_ms = self.services.context.now_ms()
        person = Account(
            account, f"{account}@synthetic.test", "Synthetic", "en", SITE, roles, True, False, "Asia/Almaty"
        )
        secret = new_cookie()
        session = AccountSession(f"ses-{account}", account, now_ms, now_ms, None, "test")
        async with self.books.database.write() as tx:
            await accounts.add_account(tx, person, "x")
            for relation in relations:
                await cases.add_person(tx, CASE, account, relation)
            await accounts.add_session(tx, session, hashed(secret))
        return Profile(account, session.id, secret)

    def browser(self, profile: Profile | None) -> ClientSession:
        """A client with that profile's cookie and nothing else."""
        headers = {"Cookie": f"session={profile.secret}"} if profile else {}
        return ClientSession(self.base, headers=headers, cookie_jar=CookieJar(unsafe=True))

    async def plaintext(self, track: str) -> bytes:
        """What a track should be, read past HTTP."""
        generation = await Generation.open(self.objects, self.keys, RECORDING, 1)
        reader = await generation.track(track)
        return b"".join([chunk async for chunk in reader.chunks(0, reader.size)])
