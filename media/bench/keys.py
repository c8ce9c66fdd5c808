"""SRTP sessions from keys that were agreed without DTLS: for measuring what has no handshake."""

from __future__ import annotations

import secrets

from pylibsrtp import Policy, Session

PROFILE = Policy.SRTP_PROFILE_AEAD_AES_256_GCM
KEY_BYTES = 32 + 12


def session(key: bytes, direction: int) -> Session:
    """GCM-256, one direction; `key` is key and salt."""
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=PROFILE)
    policy.window_size = 8192
    return Session(policy)


def new_pair() -> list[str]:
    """Keys of one peer, hex: towards the forwarder, and back."""
    return [secrets.token_hex(KEY_BYTES), secrets.token_hex(KEY_BYTES)]


class AgreedKeys:
    """Stands where a finished `DtlsClient` stands in a peer."""

    def __init__(self, pair: list[str]) -> None:
        self.done = True
        self.tx: Session | None = session(bytes.fromhex(pair[0]), Policy.SSRC_ANY_OUTBOUND)
        self.rx: Session | None = session(bytes.fromhex(pair[1]), Policy.SSRC_ANY_INBOUND)

    def start(self) -> None:
        """There is no handshake."""

    def datagram(self, data: bytes) -> None:
        """There is no handshake."""

    def tick(self) -> None:
        """There is no timer."""

    def close(self) -> None:
        """Nobody is told."""
