"""The bundle: the tracks as they were finished, their signed account and a signed list of it all, as one ZIP.

The ZIP is written straight on (stored, nothing compressed), sealed as it comes. An example of the
documentation checks one with nothing of ours. It must not know names: what is said about people is handed in.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from media.recordstore.sealed import SEGMENT

from .output import Onwards, Output
from .source import SealedSource

SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
WRITTEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Contents:
    """Small files by name, tracks by name, and the raw Ed25519 key that signs the list."""

    files: Mapping[str, bytes]
    tracks: Mapping[str, SealedSource]
    signing_key: bytes = field(repr=False)


def make(contents: Contents, output: Output, progress: Callable[[float], None]) -> dict[str, object]:
    """Write the bundle; facts for the result line."""
    sums: dict[str, str] = {}
    whole, done = max(1, sum(track.size for track in contents.tracks.values())), 0
    with output.writer() as writer:
        out = cast(BinaryIO, Onwards(writer))
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as box:
            for name, content in sorted(contents.files.items()):
                sums[name] = hashlib.sha256(content).hexdigest()
                box.writestr(_entry(name), content)
            for name, track in sorted(contents.tracks.items()):
                digest = hashlib.sha256()
                with box.open(_entry(name), "w", force_zip64=True) as inner:
                    while part := track.read(SEGMENT):
                        digest.update(part)
                        inner.write(part)
                        done += len(part)
                        progress(done / whole)
                sums[name] = digest.hexdigest()
            listed = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()
            box.writestr(_entry(SUMS), listed)
            private = Ed25519PrivateKey.from_private_bytes(contents.signing_key)
            box.writestr(_entry(SIGNATURE), private.sign(listed))
        writer.commit()
    return {"files": len(sums) + 2}


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, WRITTEN)
    entry.external_attr = 0o600 << 16
    return entry
