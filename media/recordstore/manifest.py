"""The signed account of a finished recording: what the segments were, what came of them, with no key needed.

A DSSE envelope (Dead Simple Signing Envelope v1) around canonical JSON, signed with Ed25519. It holds ids,
counts,
hashes and causes; it must not hold names, keys or anything said.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .layout import canonical

PAYLOAD_TYPE = "application/vnd.hyeopjin.manifest+json"
VERSION = 1


class ManifestError(Exception):
    """`code`: manifest_malformed, manifest_unsigned (no signature that holds), manifest_version."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def public_key(signing_key: bytes) -> bytes:
    """The 32 raw bytes that verify what the 32 raw bytes of `signing_key` sign."""
    private = Ed25519PrivateKey.from_private_bytes(signing_key)
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign(manifest: Mapping[str, object], signing_key: bytes) -> bytes:
    """The envelope's bytes. Deterministic: the same manifest and key give the same bytes."""
    payload = canonical(manifest)
    private = Ed25519PrivateKey.from_private_bytes(signing_key)
    signature = private.sign(pae(PAYLOAD_TYPE, payload))
    return _envelope(payload, signature, public_key(signing_key))


def keyid(public: bytes) -> str:
    """What names a public key in an envelope: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def _envelope(payload: bytes, signature: bytes, public: bytes) -> bytes:
    envelope = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": keyid(public), "sig": base64.b64encode(signature).decode()}],
    }
    return canonical(envelope) + b"\n"


def verify(envelope: bytes, public: bytes) -> dict[str, object]:
    """The manifest, if one of its signatures holds under `public` (32 raw bytes). Raises ManifestError."""
    try:
        outer = json.loads(envelope)
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = [base64.b64decode(s["sig"], validate=True) for s in outer["signatures"]]
        payload_type = outer["payloadType"]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise ManifestError("manifest_malformed") from error
    if payload_type != PAYLOAD_TYPE:
        raise ManifestError("manifest_malformed")
    key = Ed25519PublicKey.from_public_bytes(public)
    for signature in signatures:
        try:
            key.verify(signature, pae(PAYLOAD_TYPE, payload))
            break
        except InvalidSignature:
            continue
    else:
        raise ManifestError("manifest_unsigned")
    manifest = json.loads(payload)
    if not isinstance(manifest, dict) or manifest.get("version") != VERSION:
        raise ManifestError("manifest_version")
    return manifest


def inspect(envelope: bytes, public: bytes) -> tuple[dict[str, object] | None, list[tuple[str, str]]]:
    """The manifest if its signature holds, and what is wrong with the envelope: [(part, code)].

    Stricter than `verify`: the envelope must be the very bytes that `sign` makes of payload and signature.
    """
    try:
        signed = verify(envelope, public)
    except ManifestError as error:
        part = "envelope"
        if error.code == "manifest_unsigned":
            other = _keyid(envelope) != keyid(public)
            part = "signing_key" if other else "payload_or_signature"
        return None, [(part, error.code)]
    outer = json.loads(envelope)
    signature = base64.b64decode(outer["signatures"][0]["sig"])
    if _keyid(envelope) != keyid(public):
        return signed, [("keyid", "manifest_malformed")]
    if envelope != _envelope(base64.b64decode(outer["payload"]), signature, public):
        return signed, [("envelope", "manifest_malformed")]
    return signed, []


def _keyid(envelope: bytes) -> object:
    signatures = json.loads(envelope)["signatures"]
    return signatures[0].get("keyid") if signatures and isinstance(signatures[0], dict) else None
