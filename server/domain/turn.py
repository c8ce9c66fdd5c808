"""Credentials for a TURN server that shares one secret with us (draft-uberti-behave-turn-rest-00). Pure.

It must not keep anything: coturn computes the same from the user name alone, so none can be taken back
before it ends. What a credential opens is only the way to the media port (`deploy/coturn/turnserver.conf`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TurnCredential:
    """What a page gives to the relay. `username` is "<Unix seconds of its end>:<name>"."""

    username: str
    password: str = field(repr=False)


def turn_credential(secret: bytes, name: str, ends_s: int) -> TurnCredential:
    """The credential of `name` until `ends_s`. A name has no colon in it."""
    if ":" in name:
        raise ValueError("a name with a colon would be read as another time")
    username = f"{ends_s}:{name}"
    digest = hmac.new(secret, username.encode(), hashlib.sha1).digest()
    return TurnCredential(username, base64.b64encode(digest).decode())
