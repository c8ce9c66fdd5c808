"""New ids and secrets, and how secrets are stored."""

from __future__ import annotations

import hashlib
import secrets


def new_id() -> str:
    """An opaque id: 22 url-safe characters, 128 bits. Never begins like an option of a command line."""
    while (made := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return made


def new_token() -> str:
    """A secret for a link's fragment or a cookie: 128 bits for links, as asked; base64url."""
    return secrets.token_urlsafe(16)


def new_cookie() -> str:
    """A secret for a cookie: 256 bits, base64url."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """SHA-256 hex. Enough here: the secrets are random, so there is no dictionary to try.

    A cookie may hold bytes that are no UTF-8: they are nobody's secret like any other.
    """
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
