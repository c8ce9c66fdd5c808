"""A real mail server on loopback that keeps what it is given, and may be told to refuse."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.ports import free_port


@dataclass(slots=True)
class Post:
    """`mails`: (recipient, message) in order. `refuse`: recipient → answer. `answer`: to every content."""

    port: int
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    answer: str = "250 OK"
    stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.mails += [(to, message) for to in envelope.rcpt_tos]
        return self.answer

    async def open(self, **options: object) -> None:
        """Listen (again)."""
        loop = asyncio.get_running_loop()

        def factory() -> SMTP:
            with warnings.catch_warnings():  # that it lets people sign in without TLS, on loopback
                warnings.simplefilter("ignore")
                return SMTP(self, hostname="post.invalid", **{"enable_SMTPUTF8": True, **options})  # type: ignore[arg-type]

        server = await loop.create_server(factory, "127.0.0.1", self.port)
        self.stack.callback(server.close)

    async def close(self) -> None:
        await self.stack.aclose()
        self.stack = contextlib.AsyncExitStack()

    def taken(self) -> list[tuple[str, EmailMessage]]:
        """What has come since the last look."""
        found, self.mails = self.mails, []
        return found


def only(user: str, password: str) -> dict[str, object]:
    """Options of a server that lets nobody else in."""

    def authenticate(
        _server: object, _session: object, _envelope: object, _how: str, data: object
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            user.encode(),
            password.encode(),
        )
        return AuthResult(success=right, handled=False)

    return {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}


@contextlib.asynccontextmanager
async def post_office() -> AsyncIterator[Post]:
    post = Post(free_port())
    await post.open()
    try:
        yield post
    finally:
        await post.close()
