"""DSSE envelopes (Dead Simple Signing Envelope v1) around canonical JSON, signed with Ed25519.

What is in them, and which type and version it has, is for whoever signs: a manifest, a receipt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .layout import canonical


class EnvelopeError(Exception):
    """These bytes are no envelope of the expected payload type."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """As parsed; nothing is proven before `holds`."""

    payload_type: str
    payload: bytes
    signatures: list[bytes]

    def holds(self, public: bytes) -> bool:
        """Whether one of the signatures is that of `public` (32 raw bytes)."""
        key = Ed25519PublicKey.from_public_bytes(public)
        for signature in self.signatures:
            try:
                key.verify(signature, pae(self.payload_type, self.payload))
            except InvalidSignature:
                continue
            return True
        return False


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def public_key(signing_key: bytes) -> bytes:
    """The 32 raw bytes that verify what the 32 raw bytes of `signing_key` sign."""
    private = Ed25519PrivateKey.from_private_bytes(signing_key)
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def keyid(public: bytes) -> str:
    """What names a public key in an envelope: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def sign(payload_type: str, payload: bytes, signing_key: bytes) -> bytes:
    """The envelope's bytes. Deterministic: the same payload and key give the same bytes."""
    private = Ed25519PrivateKey.from_private_bytes(signing_key)
    return enclose(payload_type, payload, private.sign(pae(payload_type, payload)), public_key(signing_key))


def enclose(payload_type: str, payload: bytes, signature: bytes, public: bytes) -> bytes:
    """The very bytes of an envelope with one signature."""
    envelope = {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": keyid(public), "sig": base64.b64encode(signature).decode()}],
    }
    return canonical(envelope) + b"\n"


def parse(envelope: bytes, payload_type: str) -> Envelope:
    """Raises EnvelopeError."""
    try:
        outer = json.loads(envelope)
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = [base64.b64decode(each["sig"], validate=True) for each in outer["signatures"]]
        if outer["payloadType"] != payload_type:
            raise EnvelopeError
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise EnvelopeError from error
    return Envelope(payload_type, payload, signatures)
