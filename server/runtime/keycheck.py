"""Looks at the key store of one recording: which keys there are, and what is wrong with the others.

It reads only, makes no key, and goes on without what it cannot have: a chain can be walked and a signature
verified with little. It must not print a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from media.recordstore import dsse
from media.recordstore.faults import NOTE, TAMPERED, UNREADABLE, Row, row
from server.runtime.keystore import KEY_BYTES, KeyStore, KeyStoreError, fingerprint_of

_MAGIC_BYTES = 8


@dataclass(slots=True)
class KeyCheck:
    """What the key store gives for one recording. `verify_key`: the public key, None if there is none."""

    store: KeyStore | None = None
    keys: dict[str, bytes] = field(default_factory=dict, repr=False)
    verify_key: bytes | None = None
    destroyed: set[str] = field(default_factory=set)
    faults: list[Row] = field(default_factory=list)


def check_keys(data: Path, recording: str) -> KeyCheck:
    """Everything that can be had, and a fault for each thing that cannot."""
    check = KeyCheck()
    kek = _secret(check, data, "kek", "kek")
    signing = _secret(check, data, "signing.key", "signing_key")
    public = _public(check, data, signing)
    check.verify_key = public
    if kek is None:
        return check
    check.store = KeyStore(data / "keys", kek, signing or bytes(KEY_BYTES))
    unreadable: list[Row] = []
    for seat in check.store.seats(recording):
        try:
            key = check.store.existing_key(recording, seat)
        except KeyStoreError as error:
            if error.code == "key_destroyed":
                continue
            path = data / "keys" / recording / f"{seat}.key"
            unreadable.append(row(_at(data, path), _part(path), error.code, UNREADABLE))
        else:
            if key is not None:
                check.keys[seat] = key
                _fingerprint(check, data, recording, seat, key)
    if len(unreadable) > 1 and not check.keys and _no_key_opens(check.store, data):
        check.faults.append(row("secrets/kek", "kek", "kek_wrong", UNREADABLE))
    check.faults += unreadable
    for tomb in sorted((data / "keys" / recording).glob("*.destroyed")):
        check.destroyed.add(tomb.stem)
        check.faults.append(row(_at(data, tomb), "key", "key_destroyed", NOTE))
    return check


def lacking(check: KeyCheck, recording: str, seats: Iterable[str]) -> list[Row]:
    """Seats that have media and neither a key file nor the mark of one that was destroyed."""
    if check.store is None:
        return []
    known = set(check.store.seats(recording)) | check.destroyed
    return [
        row(f"keys/{recording}/{seat}.key", "key", "key_missing", UNREADABLE)
        for seat in sorted(set(seats) - known)
    ]


def _secret(check: KeyCheck, data: Path, name: str, what: str) -> bytes | None:
    path = data / "secrets" / name
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        check.faults.append(row(f"secrets/{name}", what, f"{what}_missing", UNREADABLE))
        return None
    except OSError:
        check.faults.append(row(f"secrets/{name}", what, "unreadable", UNREADABLE))
        return None
    if len(secret) != KEY_BYTES:
        check.faults.append(row(f"secrets/{name}", what, f"{what}_invalid", UNREADABLE))
        return None
    return secret


def _public(check: KeyCheck, data: Path, signing: bytes | None) -> bytes | None:
    """The public key, by its own file or by the private one; they must agree."""
    path = data / "secrets" / "signing.pub"
    kept = path.read_bytes() if path.is_file() else None
    derived = dsse.public_key(signing) if signing is not None else None
    if kept is not None and len(kept) != KEY_BYTES:
        check.faults.append(row("secrets/signing.pub", "public_key", "public_key_invalid", UNREADABLE))
        kept = None
    if kept is not None and derived is not None and kept != derived:
        check.faults.append(row("secrets/signing.pub", "public_key", "signing_keys_differ", TAMPERED))
    return kept or derived


def _fingerprint(check: KeyCheck, data: Path, recording: str, seat: str, key: bytes) -> None:
    """The fingerprint that a receipt will name must be the key's."""
    path = data / "keys" / recording / f"{seat}.print"
    if path.is_file() and path.read_bytes() != fingerprint_of(recording, seat, key).encode("ascii"):
        check.faults.append(row(_at(data, path), "fingerprint", "fingerprint_differs", TAMPERED))


def _no_key_opens(store: KeyStore, data: Path) -> bool:
    """Whether not one key of any recording opens: then it is not the keys."""
    for folder in (data / "keys").iterdir():
        for path in folder.glob("*.key"):
            try:
                if store.existing_key(folder.name, path.stem) is not None:
                    return False
            except KeyStoreError:
                continue
    return True


def _part(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError:
        return "file"
    if content[:_MAGIC_BYTES] != b"HJKEY\x00\x00\x01":
        return "magic"
    return "wrapped_key" if len(content) == _MAGIC_BYTES + 12 + KEY_BYTES + 16 else "length"


def _at(data: Path, path: Path) -> str:
    return str(path.relative_to(data))
