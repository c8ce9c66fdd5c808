"""The signed account of a finished recording: what the segments were, what came of them, with no key needed.

A DSSE envelope (`dsse`). It holds ids, counts, hashes and causes; it must not hold names, keys or anything
said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from . import dsse
from .layout import canonical

PAYLOAD_TYPE = "application/vnd.hyeopjin.manifest+json"
VERSION = 1
UNSIGNED = frozenset({"key_frames_ms", "speech"})
"""Of a track's row, what only the sealed index tells; its hash is signed."""


class ManifestError(Exception):
    """`code`: manifest_malformed, manifest_unsigned (no signature that holds), manifest_version."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def sign(manifest: Mapping[str, object], signing_key: bytes) -> bytes:
    """The envelope's bytes. Deterministic: the same manifest and key give the same bytes."""
    return dsse.sign(PAYLOAD_TYPE, canonical(manifest), signing_key)


def verify(envelope: bytes, public: bytes) -> dict[str, object]:
    """The manifest, if one of its signatures holds under `public` (32 raw bytes). Raises ManifestError."""
    try:
        parsed = dsse.parse(envelope, PAYLOAD_TYPE)
    except dsse.EnvelopeError as error:
        raise ManifestError("manifest_malformed") from error
    if not parsed.holds(public):
        raise ManifestError("manifest_unsigned")
    manifest = json.loads(parsed.payload)
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
            other = _keyid(envelope) != dsse.keyid(public)
            part = "signing_key" if other else "payload_or_signature"
        return None, [(part, error.code)]
    if _keyid(envelope) != dsse.keyid(public):
        return signed, [("keyid", "manifest_malformed")]
    parsed = dsse.parse(envelope, PAYLOAD_TYPE)
    if envelope != dsse.enclose(PAYLOAD_TYPE, parsed.payload, parsed.signatures[0], public):
        return signed, [("envelope", "manifest_malformed")]
    return signed, []


def _keyid(envelope: bytes) -> object:
    signatures = json.loads(envelope)["signatures"]
    return signatures[0].get("keyid") if signatures and isinstance(signatures[0], dict) else None
