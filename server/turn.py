"""The relay for places where only TLS gets out: which servers, and a credential per seat.

It must not know rooms or sockets. No relay configured: no servers, and no page asks any third one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from server.config import ConfigError, Settings
from server.domain.turn import turn_credential
from signaling.messages import IceServer
from signaling.ports import IceServers, no_relays

MIN_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class RelayAddress:
    """One url taken apart. `wire`: udp, tcp or tls."""

    host: str
    port: int
    wire: str


def relay_address(url: str) -> RelayAddress:
    """Of a url that `server.config` has accepted (RFC 7065)."""
    scheme, _, rest = url.partition(":")
    where, _, transport = rest.partition("?transport=")
    host, port = where, ""
    if found := re.fullmatch(r"(.*[^:]):([0-9]+)", where):
        host, port = found[1], found[2]
    secure = scheme == "turns"
    wire = "tls" if secure else transport or "udp"
    return RelayAddress(host.strip("[]"), int(port or (5349 if secure else 3478)), wire)


def turn_secret_file(settings: Settings) -> Path:
    return settings.turn.secret_file or settings.secrets_dir / "turn_secret"


def read_turn_secret(settings: Settings) -> bytes:
    """The secret shared with the relay. Raises ConfigError with a sentence."""
    path = turn_secret_file(settings)
    try:
        secret = path.read_bytes().strip()
    except OSError:
        raise ConfigError(
            f"turn.urls is set, but {path} cannot be read: put the relay's static-auth-secret there."
        ) from None
    if len(secret) < MIN_SECRET_BYTES:
        raise ConfigError(f"{path} holds fewer than {MIN_SECRET_BYTES} characters: `openssl rand -hex 32`.")
    return secret


class TurnServers:
    """Makes credentials. Called with a seat, gives what a page hands to RTCPeerConnection."""

    def __init__(
        self, settings: Settings, secret: bytes, now_ms: Callable[[], int], life_s: int | None = None
    ) -> None:
        self._urls = list(settings.turn.urls)
        self._life_s = life_s or settings.turn.credential_hours * 3600
        self._secret = secret
        self._now_ms = now_ms

    def __call__(self, seat: str) -> list[IceServer]:
        ends_s = self._now_ms() // 1000 + self._life_s
        # The relay's log names its users: not by the seat, which our addresses name too.
        name = hashlib.sha256(self._secret + b"|" + seat.encode()).hexdigest()[:16]
        made = turn_credential(self._secret, name, ends_s)
        return [IceServer(urls=self._urls, username=made.username, credential=made.password)]


def ice_servers_of(settings: Settings, now_ms: Callable[[], int], life_s: int | None = None) -> IceServers:
    """`life_s`: another life than the settings' own. Raises ConfigError when the secret is not there."""
    if not settings.turn.urls:
        return no_relays
    return TurnServers(settings, read_turn_secret(settings), now_ms, life_s)
