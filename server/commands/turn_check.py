"""What `hyeopjin doctor` asks of the relay: a credential of ours, a way to the media port, no other.

It must not keep an allocation, nor say a secret. It asks from this machine: a firewall elsewhere is the
pages' own check.
"""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import struct
import time
from typing import Literal

from server.config import ConfigError, Settings
from server.domain.turn import turn_credential
from server.runtime.turn_client import TurnClient, TurnError, Wire
from server.turn import RelayAddress, read_turn_secret, relay_address, turn_secret_file

State = Literal["green", "yellow", "grey", "red"]
Found = tuple[State, str, str]
FORBIDDEN = ("127.0.0.1", "169.254.169.254", "10.0.0.1", "192.168.0.1")
"""Through the relay these are the operator's own network."""
CREDENTIAL_S = 60
WARN_DAYS = 14
SENTENCES = {
    "secret_differs": "the relay refuses our credential: its static-auth-secret must be the line in {secret}",
    "not_reachable": "nobody answers there: is coturn running, is its port open, is its name right in DNS?",
    "no_allocation": "the relay answers and gives nothing ({reason}): look into its log",
    "media_refused": "the relay may not reach {where}: add allowed-peer-ip={where} to turnserver.conf",
    "too_open": "the relay would reach {where}: take denied-peer-ip from deploy/coturn/turnserver.conf",
    "certificate": "browsers will refuse its certificate: {reason}",
    "certificate_ends": "its certificate ends in {days} days",
    "ok": "gives a way to the media port and to nothing else",
}


def check(settings: Settings) -> Found:
    """The worst that was found, with a sentence for the operator."""
    if not settings.turn.urls:
        return "grey", "not_configured", "pages use the media port alone, over UDP or TCP"
    try:
        secret = read_turn_secret(settings)
    except ConfigError as error:
        return "red", "no_secret", str(error)
    if turn_secret_file(settings).stat().st_mode & 0o077:
        return "red", "readable_by_others", f"chmod 600 {turn_secret_file(settings)}"
    found = [_one(settings, relay_address(url), secret) for url in settings.turn.urls]
    return max(found, key=lambda one: ("green", "yellow", "red").index(one[0]))


def _one(settings: Settings, relay: RelayAddress, secret: bytes) -> Found:
    def said(state: State, code: str, **words: object) -> Found:
        text = SENTENCES[code].format(secret=turn_secret_file(settings), **words)
        return state, code, f"{relay.host}:{relay.port}: {text}"

    made = turn_credential(secret, "doctor", int(time.time()) + CREDENTIAL_S)
    try:
        wire = Wire.open(relay.host, relay.port, relay.wire)
        days = wire.certificate_days()
        with TurnClient(wire, made.username, made.password, resend=relay.wire == "udp") as client:
            client.allocate()
            for where in FORBIDDEN:
                if _permitted(client, where):
                    return said("red", "too_open", where=where)
            for where in _announced(settings):
                if not _permitted(client, where):
                    return said("red", "media_refused", where=where)
    except ssl.SSLCertVerificationError as error:
        return said("red", "certificate", reason=error.verify_message)
    except OSError:
        return said("red", "not_reachable")
    except (KeyError, ValueError, struct.error):
        return said("red", "no_allocation", reason="an answer that is none")
    except TurnError as error:
        refused = error.code == 401
        return said("red", "secret_differs" if refused else "no_allocation", reason=error)
    if days is not None and days < WARN_DAYS:
        return said("yellow", "certificate_ends", days=days)
    return said("green", "ok")


def _permitted(client: TurnClient, host: str) -> bool:
    with contextlib.suppress(TurnError):
        client.permit(host)
        return True
    return False


def _announced(settings: Settings) -> list[str]:
    """IPv4 ones; loopback is nobody's but this machine's."""
    parsed = [ipaddress.ip_address(text) for text in settings.media_announce]
    return [str(address) for address in parsed if address.version == 4 and not address.is_loopback]
