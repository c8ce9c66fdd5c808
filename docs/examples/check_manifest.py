"""Checks a recording with the public key alone: python check_manifest.py MANIFEST JOURNAL PUBLIC-KEY

JOURNAL is the recording's own folder. Written by docs/recording.md alone; it imports nothing of Hyeopjin, on
purpose. Prints a line for each segment that the manifest signs; exit code 1 if one is not as signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def signed(envelope: bytes, public_key: bytes) -> dict[str, Any]:
    """The manifest of a DSSE envelope; raises InvalidSignature when nobody has signed it."""
    outer = json.loads(envelope)
    kind, payload = outer["payloadType"].encode(), base64.b64decode(outer["payload"])
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    signature = base64.b64decode(outer["signatures"][0]["sig"])
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    manifest: dict[str, Any] = json.loads(payload)
    return manifest


def head_of(data: bytes, seals: int) -> str:
    """The hash of seal number `seals` - 1, if each names the one before; else what is wrong."""
    start = int.from_bytes(data[10:12], "big")
    previous, at = hashlib.sha256(data[:start]).digest(), start
    for number in range(seals):
        if at + 52 > len(data):
            return f"ends before seal {number}"
        mark, length, index, before = struct.unpack_from(">4s4xIQ32s", data, at)
        if (mark, index, before) != (b"SEAL", number, previous):
            return f"breaks at seal {number}"
        previous = hashlib.sha256(data[at : at + 52 + length]).digest()
        at += 52 + length
    return previous.hex()


if __name__ == "__main__":
    manifest = signed(Path(sys.argv[1]).read_bytes(), Path(sys.argv[3]).read_bytes())
    good = True
    for segment in manifest["segments"]:
        path = Path(sys.argv[2]) / str(segment["epoch"]) / segment["file"]
        head = head_of(path.read_bytes(), segment["head"]["index"] + 1) if path.is_file() else "is missing"
        good = good and head == segment["head"]["hash"]
        told = "as signed" if head == segment["head"]["hash"] else head
        sys.stdout.write(f"{segment['epoch']}/{segment['file']} {told}\n")
    sys.exit(0 if good else 1)
