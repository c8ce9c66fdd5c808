"""Checks an exported bundle with nothing of Hyeopjin: check_bundle.py BUNDLE.zip SHA256-OF-PUBLIC-PEM

The fingerprint of the server's key comes from the hospital by another way. Exit code 1 on anything wrong.
"""

import base64
import hashlib
import json
import sys
import zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def must(right: bool, wrong: str) -> None:
    if not right:
        raise ValueError(wrong)


def check(path: str, fingerprint: str) -> str:
    with zipfile.ZipFile(path) as box:
        pem, sums = box.read("public.pem"), box.read("SHA256SUMS")
        must(hashlib.sha256(pem).hexdigest() == fingerprint.strip().lower(), "another server's key")
        key = load_pem_public_key(pem)
        key.verify(box.read("SHA256SUMS.sig"), sums)
        listed = {line[66:]: line[:64] for line in sums.decode().splitlines()}
        must(sorted(box.namelist()) == sorted({*listed, "SHA256SUMS", "SHA256SUMS.sig"}), "files differ")
        for name, digest in listed.items():
            found = hashlib.file_digest(box.open(name), "sha256").hexdigest()
            must(found == digest, f"{name} was changed")
        envelope, about = json.loads(box.read("manifest.json")), json.loads(box.read("bundle.json"))
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    manifest = json.loads(payload)
    must(manifest["recording"] == about["recording"], "the manifest is of another recording")
    must(manifest["index_sha256"] == listed["index.json"], "the index is not the signed one")
    for track in manifest["tracks"]:
        held = listed.get(f"tracks/{track['id']}.webm")
        must((held is None) == (track["id"] in about["left_out"]), f"{track['id']} is missing")
        must(held in (None, track["sha256"]), f"{track['id']} is not the recorded one")
    return f"good: recording {manifest['recording']}, {len(about['tracks'])} tracks, {manifest['chain']}"


if __name__ == "__main__":
    try:
        print(check(*sys.argv[1:3]))
    except (InvalidSignature, KeyError, OSError, TypeError, ValueError, zipfile.BadZipFile) as error:
        sys.exit(f"refused: {error or type(error).__name__}")
