"""Codes by the clock (RFC 6238: SHA-1, six digits, 30 s), as every authenticator app makes them. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from typing import Final
from urllib.parse import quote

STEP_MS: Final = 30_000
DIGITS: Final = 6
SECRET_BYTES: Final = 20
DRIFT: Final = 1
"""So many steps before and after now are taken: clocks of telephones are wrong by some seconds."""


def code(secret: bytes, counter: int) -> str:
    """RFC 4226, 5.3."""
    digest = hmac.digest(secret, struct.pack(">Q", counter), hashlib.sha1)
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching(secret: bytes, given: str, now_ms: int, used: int | None) -> int | None:
    """The counter that this code is of, if it is one of now and newer than the one `used` last; else None."""
    now = now_ms // STEP_MS
    found = None
    for counter in range(now - DRIFT, now + DRIFT + 1):
        same = hmac.compare_digest(code(secret, counter).encode(), given.encode())
        if same and (used is None or counter > used):
            found = counter
    return found


def base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, issuer: str, email: str) -> str:
    """What an app reads from the picture (the key URI format that all of them take)."""
    label = quote(f"{issuer}:{email}", safe="")
    return f"otpauth://totp/{label}?secret={base32(secret)}&issuer={quote(issuer, safe='')}"
