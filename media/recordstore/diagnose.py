"""Finds out which field of a header or seal was changed: it tries what ought to stand there.

Pure functions on bytes. They name damage; they must not decide whether it matters.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from . import layout

_HEADER = (
    (8, "magic"), (10, "version"), (12, "length"), (16, "ordinal"), (24, "epoch"), (32, "boottime"),
    (40, "wall"), (56, "boot_id"), (88, "salt"),
)  # fmt: skip
_SEAL = ((4, "mark"), (5, "kind"), (8, "zeros"), (12, "length"), (20, "index"), (52, "previous"))
CODES = {
    "mark": "bad_seal", "kind": "bad_seal", "zeros": "bad_seal", "length": "bad_seal", "index": "bad_index",
    "previous": "bad_chain",
}  # fmt: skip
"""Fault code of each field of a seal's head; what lies behind the head is `bad_tag`."""
LARGEST_HEADER = 88 + 3 * 256


@dataclass(frozen=True, slots=True)
class Due:
    """What the next seal should name as its index and predecessor. `sure` is False after damage."""

    index: int
    previous: bytes
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """The damaged field, and the hash the seal had when it was written, where that could be found."""

    field: str
    hash: bytes | None = None


def header_fields(found: bytes, true: bytes) -> list[str]:
    """Names of the header's fields in which two headers differ."""
    names: list[str] = []
    for at in range(max(len(found), len(true))):
        if found[at : at + 1] != true[at : at + 1]:
            name = _header_field(at, true)
            if name not in names:
                names.append(name)
    return names


def _header_field(offset: int, true: bytes) -> str:
    for end, name in _HEADER:
        if offset < end:
            return name
    at = 88
    for name in ("recording", "seat", "grant"):
        at += 1 + (true[at] if at < len(true) else 0)
        if offset < at:
            return name
    return "length"


def mend_header(data: bytes) -> bytes | None:
    """The header as it was written, if at most one byte of it was changed: the first seal holds its hash."""
    at = data.find(layout.SEAL_MARK, 91, LARGEST_HEADER + 4)
    while at >= 0:
        head = data[at : at + layout.SEAL_HEAD.size]
        if len(head) == layout.SEAL_HEAD.size and not any(head[12:20]):
            mended = _one_byte(data[:at], head[20:52])
            if mended is not None:
                return mended
        at = data.find(layout.SEAL_MARK, at + 1, LARGEST_HEADER + 4)
    return None


def _one_byte(data: bytes, digest: bytes) -> bytes | None:
    if hashlib.sha256(data).digest() == digest:
        return data
    start = hashlib.sha256()
    for at in range(len(data)):
        rest = data[at + 1 :]
        for value in range(256):
            tried = start.copy()
            tried.update(bytes((value,)) + rest)
            if tried.digest() == digest:
                return data[:at] + bytes((value,)) + rest
        start.update(data[at : at + 1])
    return None


def seal_fields(found: bytes, true: bytes) -> str:
    """The first field in which two seal heads differ; "" if they do not."""
    differs = (at for at, (a, b) in enumerate(zip(found, true, strict=True)) if a != b)
    return next((name for at in differs for end, name in _SEAL if at < end), "")


def fits(part: bytes, due: Due) -> str:
    """The first field in which the start of a seal, cut anywhere, is not that of the seal that is due; ""
    when it may be its beginning.
    """
    kind = part[4] if len(part) > 4 and part[4] in (layout.DATA, layout.END_MARK) else layout.DATA
    length = int.from_bytes(part[8:12], "big") if len(part) >= 12 else 0
    true = layout.seal_head(kind, length, due.index, due.previous)
    true = true if due.sure else true[:12] + part[12:52].ljust(40, b"\0")
    differs = (at for at, (a, b) in enumerate(zip(part, true, strict=False)) if a != b)
    return next((name for at in differs for end, name in _SEAL if at < end), "")


def judge(
    key: bytes | None, header: bytes, head: bytes, cipher: bytes, due: Due, vouched: bytes | None
) -> Finding:
    """What is wrong with a seal that does not open. `key` is the segment's, `vouched` what the next seal
    names as its predecessor.
    """
    box = AESGCM(key) if key is not None else None
    kinds = sorted((layout.DATA, layout.END_MARK), key=lambda kind: kind != head[4])
    for kind in kinds:
        previous = due.previous if due.sure else head[20:52]
        tried = layout.seal_head(kind, len(cipher), due.index, previous)
        digest = layout.chain_next(tried, cipher)
        if tried != head and (digest == vouched or (box is not None and opens(box, header, tried, cipher))):
            return Finding(seal_fields(head, tried), digest)
    if vouched is None:
        return Finding("ciphertext_or_tag")
    if layout.chain_next(head, cipher) == vouched:
        return Finding("key", vouched)
    if key is not None:
        sealed = _true_tag(key, header, head, cipher)
        if layout.chain_next(head, sealed) == vouched:
            return Finding("tag", vouched)
    return Finding("ciphertext", vouched)


def opens(box: AESGCM, header: bytes, head: bytes, cipher: bytes) -> bool:
    """Whether the seal opens with this head."""
    return open_seal(box, header, head, cipher) is not None


def open_seal(box: AESGCM, header: bytes, head: bytes, cipher: bytes) -> bytes | None:
    """The plaintext of a seal, or None."""
    try:
        index = int.from_bytes(head[12:20], "big")
        return box.decrypt(layout.nonce(index), cipher, header + head)
    except InvalidTag:
        return None


def _true_tag(key: bytes, header: bytes, head: bytes, cipher: bytes) -> bytes:
    """The ciphertext with the tag that belongs to it (GCM's keystream begins at counter 2, SP 800-38D)."""
    nonce = layout.nonce(int.from_bytes(head[12:20], "big"))
    stream = Cipher(AES(key), CTR(nonce + (2).to_bytes(4, "big"))).decryptor()
    plain = stream.update(cipher[: -layout.TAG_BYTES]) + stream.finalize()
    return AESGCM(key).encrypt(nonce, plain, header + head)


def unwritten(data: bytes, offset: int, last: bool) -> bool:
    """Whether some disk sector of this stretch (at `offset` of its file) was never written: it is zeros.

    That is what a power cut leaves of bytes that were not synced; ciphertext is never zero for so long.
    """
    at = 0
    while at < len(data):
        end = min(len(data), at + 512 - (offset + at) % 512)
        if not any(data[at:end]) and (end - at >= 8 or (last and end == len(data))):
            return True
        at = end
    return False
