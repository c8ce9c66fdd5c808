"""What somebody with an authenticator app does."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from server.domain import totp
from tests.support.website import Answer, Browser, Website


@dataclass(slots=True)
class App:
    """An authenticator app on this site's clock."""

    site: Website
    secret: bytes
    recovery: list[str]

    def code(self, ahead: int = 0) -> str:
        return totp.code(self.secret, self.site.clock() // totp.STEP_MS + ahead)

    def next_code(self) -> str:
        """One that was not shown yet: the app is looked at half a minute later."""
        self.site.clock.advance(seconds=totp.STEP_MS / 1000)
        return self.code()


async def with_app(site: Website, browser: Browser) -> App:
    """Sets an app up for whoever is signed in there."""
    begun = await browser.post("/api/account/totp")
    assert begun.status == 200, begun.text
    text = begun.json["secret"]
    app = App(site, base64.b32decode(text + "=" * (-len(text) % 8)), [])
    done = await browser.post("/api/account/totp/confirm", {"code": app.code()})
    assert done.status == 200, done.text
    app.recovery = done.json["codes"]
    return app


async def password_only(site: Website, role: str) -> tuple[Browser, Answer]:
    """A browser after the password."""
    browser = site.browser()
    email, password = site.password(role)
    return browser, await browser.post("/api/sign-in", {"email": email, "password": password})
