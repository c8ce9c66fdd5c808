"""Destruction receipts: signed, numbered, each on the last one's hash, kept for ever.

One file each, `receipts/<number>.json`: a DSSE envelope over canonical JSON, Ed25519 with the data
directory's signing key. They lie apart from the database and from `keys/`, so that restoring an old backup of
either does not unlearn what was destroyed. They hold ids, hashes, counts and codes, never a name; none is
ever changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.recordstore import dsse
from media.recordstore.layout import canonical
from media.recordstore.reader import open_file
from server.runtime.keystore import private_directory, write_once

PAYLOAD_TYPE = "application/vnd.hyeopjin.destruction+json"
VERSION = 1
FIRST = "0" * 64
OF_DOCUMENTS = "documents"  # `kind` of a receipt for documents; one for media has none
MOST_BYTES = 64 << 20
_NAME = re.compile(r"([0-9]{8})\.json\Z")


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt as it lies there. `payload` is empty when it cannot be read."""

    number: int
    envelope: bytes
    payload: Mapping[str, Any]
    faults: tuple[str, ...]

    @property
    def hash(self) -> str:
        return hash_of(self.envelope)


def hash_of(envelope: bytes) -> str:
    """SHA-256 in hex of the envelope's bytes: what the next receipt and the audit chain hold."""
    return hashlib.sha256(envelope).hexdigest()


def folder_of(payload: Mapping[str, Any]) -> str:
    """Where in the key store the keys were that a receipt names."""
    return str(payload["case"] if payload.get("kind") == OF_DOCUMENTS else payload["recording"])


def sign(payload: Mapping[str, Any], signing_key: bytes) -> bytes:
    """The envelope's bytes; the same payload and key give the same."""
    return dsse.sign(PAYLOAD_TYPE, canonical(payload), signing_key)


def opened(envelope: bytes, public: bytes) -> tuple[Mapping[str, Any], str | None]:
    """(payload, None), or what is wrong: `receipt_malformed` (no payload) or `receipt_unsigned`."""
    try:
        parsed = dsse.parse(envelope, PAYLOAD_TYPE)
        payload = json.loads(parsed.payload)
    except (dsse.EnvelopeError, ValueError, RecursionError):
        return {}, "receipt_malformed"
    if not isinstance(payload, dict) or payload.get("version") != VERSION:
        return {}, "receipt_malformed"
    return payload, None if parsed.holds(public) else "receipt_unsigned"


def _read(path: Path) -> bytes:
    """A receipt's envelope; of what is no file, nothing, which is then malformed."""
    try:
        with os.fdopen(open_file(path), "rb") as file:
            return file.read(MOST_BYTES)
    except OSError:
        return b""


def _payload(envelope: bytes) -> bytes:
    try:
        return base64.b64decode(json.loads(envelope)["payload"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return b""


class Receipts:
    """The receipts of one data directory. One process at a time issues; anybody may read."""

    def __init__(self, root: Path, signing_key: bytes) -> None:
        self._root = root
        self._signing_key = signing_key
        self._public = dsse.public_key(signing_key)

    def all(self) -> list[Receipt]:
        """Every receipt by its number, with its faults: signature, number, the chain to the one before."""
        found: list[Receipt] = []
        previous, expected = FIRST, 1
        for number, path in self._files():
            envelope = _read(path)
            payload, wrong = opened(envelope, self._public)
            faults = [wrong] if wrong else []
            if payload and payload.get("number") != number:
                faults.append("receipt_misnumbered")
            if number != expected:
                faults.append("receipt_missing")
            elif payload and payload.get("previous") != previous:
                faults.append("receipt_chain_broken")
            found.append(Receipt(number, envelope, payload, tuple(faults)))
            previous, expected = hash_of(envelope), number + 1
        return found

    def issue(self, facts: Mapping[str, Any]) -> Receipt:
        """Sign and store the receipt of `facts["destruction"]`; the one there is if it was issued before."""
        if (found := self.of(str(facts["destruction"]))) is not None:
            return found
        last = next(reversed(self._files()), None)
        number = last[0] + 1 if last else 1
        previous = hash_of(_read(last[1])) if last else FIRST
        payload = {**facts, "version": VERSION, "number": number, "previous": previous}
        envelope = sign(payload, self._signing_key)
        self._write(number, envelope)
        return Receipt(number, envelope, payload, ())

    def of(self, destruction: str) -> Receipt | None:
        """The receipt of a destruction, newest first, if there is one with a good signature."""
        for number, path in reversed(self._files()):
            envelope = _read(path)
            if destruction.encode() not in _payload(envelope):
                continue
            payload, wrong = opened(envelope, self._public)
            if payload.get("destruction") == destruction and wrong is None:
                return Receipt(number, envelope, payload, ())
        return None

    def put_back(self, number: int, envelope: bytes) -> bool:
        """Store again what the database still knows and this folder lost. True if it was missing."""
        if self._path(number).exists():
            return False
        self._write(number, envelope)
        return True

    def _write(self, number: int, envelope: bytes) -> None:
        private_directory(self._root)
        if not write_once(self._path(number), envelope):
            raise FileExistsError(number)

    def _path(self, number: int) -> Path:
        return self._root / f"{number:08d}.json"

    def _files(self) -> Sequence[tuple[int, Path]]:
        if not self._root.is_dir():
            return []
        named = ((_NAME.match(path.name), path) for path in self._root.iterdir())
        return sorted((int(match[1]), path) for match, path in named if match)
