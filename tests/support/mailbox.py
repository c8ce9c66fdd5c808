"""What a person does with a mail about their account: reads it and opens its link."""

from __future__ import annotations

import re
from email.message import EmailMessage

from server.runtime.mailer import Mailer
from tests.support.smtp import Post
from tests.support.website import Website

SENDER = "consult@example.org"


def mail_settings(post: Post) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": post.port, "security": "plain", "sender": SENDER}


async def sent(site: Website, post: Post) -> list[tuple[str, EmailMessage]]:
    """One run of the mailer: what it sent."""
    await Mailer(site.services.context, site.services.mailing).tick()
    return post.taken()


def words(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def token_of(message: EmailMessage) -> str:
    """The secret in the fragment of its one link."""
    [link] = re.findall(r"http\S+", words(message))
    path, token = link.split("#")
    assert path.endswith("/set-password")
    return str(token)
