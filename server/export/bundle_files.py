"""The small files of a bundle: what it is, who took part and consented (by seat, no names), chat and key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.domain.chat import ChatMessage
from server.export.plan import Material
from server.i18n import LANGUAGES, text

VERSION = 1


def public_pem(public: bytes) -> bytes:
    """An Ed25519 public key (32 raw bytes) as openssl reads it."""
    return Ed25519PublicKey.from_public_bytes(public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def fingerprint(public: bytes) -> str:
    """SHA-256 of the PEM, to be compared by eye or by `sha256sum public.pem`."""
    return hashlib.sha256(public_pem(public)).hexdigest()


def bundle_files(
    material: Material, generation: int, public: bytes, now_ms: int, said: Sequence[ChatMessage] = ()
) -> dict[str, bytes]:
    """By name. `said`: the session's chat; of it goes what those wrote whose tracks may go too."""
    index = material.index
    kept = [str(track["id"]) for track in material.tracks()]
    about = {
        "version": VERSION,
        "recording": index["recording"],
        "generation": generation,
        "made_at_ms": now_ms,
        "tracks": kept,
        "left_out": [str(t["id"]) for t in index.get("tracks", []) if str(t["id"]) not in kept],
        "public_key_sha256": fingerprint(public),
    }
    told = [
        {
            "seat": seat.id,
            "role": seat.role,
            "language": seat.language,
            "recording_consent": seat.decision,
            "tracks": [str(t["id"]) for t in material.tracks() if t["peer"] == seat.id],
        }
        for seat in material.people.values()
    ]
    files = {
        "bundle.json": _json(about),
        "attendance.json": _json({"version": VERSION, "seats": told}),
        "chat.json": _json({"version": VERSION, "messages": _chat(material, said)}),
        "public.pem": public_pem(public),
    }
    for language in LANGUAGES:
        words = "\n\n".join(text(language, f"bundle-readme-{part}") for part in ("what", "files", "check"))
        files[f"README.{language}.txt"] = (words + "\n").encode()
    return files


def _chat(material: Material, said: Sequence[ChatMessage]) -> list[dict[str, object]]:
    shown = {
        seat.id
        for seat in material.people.values()
        if seat.decision == "granted" and seat.id not in material.gone
    }
    return [
        {"seat": one.seat_id, "at_ms": one.at_ms, "text": one.text} for one in said if one.seat_id in shown
    ]


def _json(told: object) -> bytes:
    return json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"
