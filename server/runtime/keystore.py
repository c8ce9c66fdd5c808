"""The key store: one key per (recording, seat), wrapped under the data directory's key-encryption key.

Files: `secrets/kek` (32 bytes), `secrets/signing.key` and `signing.pub` (Ed25519, 32 raw bytes each; the
public half may be given away), `keys/<recording>/<seat>.key`, beside it `<seat>.print` (the key's
fingerprint) and, afterwards, `<seat>.destroyed`.
A key is on disk, with its directory entry, before `seat_key` returns it: nothing is ever sealed under a key
that a power cut could take away. It must not write a key anywhere else, log one, nor hand out one that was
destroyed. Calls do blocking I/O (fsync): from a coroutine use `asyncio.to_thread`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from media.recordstore import dsse

KEY_BYTES = 32
VERSION = 1
ROOM = "room"
_MAGIC = b"HJKEY\x00\x00\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = len(_MAGIC) + _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_ID = re.compile(r"[A-Za-z0-9_-]{16,32}\Z")


class KeyStoreError(Exception):
    """A key cannot be given.

    `code`: key_id_invalid, kek_missing, kek_invalid, key_unreadable or key_destroyed.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _recording_id(text: str) -> str:
    if not _ID.match(text):
        raise KeyStoreError("key_id_invalid")
    return text


def _seat_id(text: str) -> str:
    return text if text == ROOM else _recording_id(text)


def fsync_directory(path: Path) -> None:
    """Make the entries of a directory durable (fsync(2): a file's own fsync does not cover its name)."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_directory(path: Path) -> None:
    """Make a directory that nobody else may enter, with its entry on disk."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fsync_directory(path.parent)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o700)


def write_once(path: Path, content: bytes) -> bool:
    """Write a private file (0600) that must not exist yet, durably; False if somebody else was first.

    The name appears only with the whole content behind it: written aside, fsynced, then hard-linked.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path, follow_symlinks=False)
        except FileExistsError:
            return False
    finally:
        aside.unlink(missing_ok=True)
        fsync_directory(path.parent)
    return True


def _read_exact(path: Path, size: int, code: str) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyStoreError(code) from error
    try:
        content = os.read(handle, size + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    finally:
        os.close(handle)
    if len(content) != size:
        raise KeyStoreError(code)
    return content


def fingerprint_of(recording: str, seat: str, key: bytes) -> str:
    """SHA-256 over a label, the key's place and the key: nobody gets from it to 32 random bytes."""
    return hashlib.sha256(f"hyeopjin-key-1|{recording}|{seat}|".encode() + key).hexdigest()


def _shred(path: Path) -> bool:
    """Overwrite and remove; False when there was nothing."""
    try:
        with path.open("r+b") as file:  # for file systems that write in place; a courtesy, not the proof
            file.write(bytes(_WRAPPED_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return False
    return True


class KeyStore:
    """Seat keys of recordings. Thread-safe; several processes may use one directory (creation is by link)."""

    def __init__(self, root: Path, kek: bytes, signing: bytes) -> None:
        self._keys = root
        self._kek = AESGCM(kek)
        self._signing = signing
        self._lock = threading.Lock()

    @classmethod
    def open(cls, data: Path, create: bool = True) -> KeyStore:
        """Open the key store of a data directory; `create` makes what a new directory lacks.

        Raises KeyStoreError kek_missing when wrapped keys exist but the key-encryption key does not (a new
        one would lock every recording for ever), kek_invalid when a secret has the wrong size.
        """
        secrets_root, keys = data / "secrets", data / "keys"
        if create:
            private_directory(secrets_root)
            private_directory(keys)
        holds_keys = keys.is_dir() and next(keys.glob("*/*.key"), None) is not None
        kek = cls._secret(secrets_root / "kek", create and not holds_keys)
        signing = cls._secret(secrets_root / "signing.key", create)
        store = cls(keys, kek, signing)
        if create and not (secrets_root / "signing.pub").exists():
            write_once(secrets_root / "signing.pub", store.verify_key)
        return store

    @staticmethod
    def _secret(path: Path, create: bool) -> bytes:
        if create and not path.exists():
            write_once(path, secrets.token_bytes(KEY_BYTES))
        try:
            secret = _read_exact(path, KEY_BYTES, "kek_invalid")
        except FileNotFoundError:
            raise KeyStoreError("kek_missing") from None
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            path.chmod(0o600)
        return secret

    @property
    def signing_key(self) -> bytes:
        """The private Ed25519 key that signs manifests: 32 raw bytes (RFC 8032)."""
        return self._signing

    @property
    def verify_key(self) -> bytes:
        """The public half: 32 raw bytes."""
        return dsse.public_key(self._signing)

    def seat_key(self, recording: str, seat: str) -> bytes:
        """The 32-byte key of a seat (or of `room`), made and fsynced at the first call.

        Raises KeyStoreError: key_id_invalid, key_unreadable (wrong KEK, damaged), key_destroyed.
        """
        path = self._path(recording, seat)
        with self._lock:
            # the file is looked at each time: another process may have destroyed the key meanwhile
            if (key := self._load(recording, seat, path)) is not None:
                return key
            private_directory(path.parent)
            self._make(recording, seat, path)
            key = self._load(recording, seat, path)
            if key is None:
                raise KeyStoreError("key_destroyed")
            return key

    def existing_key(self, recording: str, seat: str) -> bytes | None:
        """The key of a seat if there is one; never makes one. Raises as `seat_key` does."""
        path = self._path(recording, seat)
        with self._lock:
            return self._load(recording, seat, path)

    def seats(self, recording: str) -> list[str]:
        """Seats (and `room`) that have a key of this recording, sorted."""
        folder = self._keys / _recording_id(recording)
        names = (path.name.removesuffix(".key") for path in folder.glob("*.key"))
        return sorted(name for name in names if name == ROOM or _ID.match(name))

    def keys(self, recording: str) -> dict[str, bytes]:
        """All readable keys of a recording by seat; `room` among them. An unreadable one is left out."""
        found: dict[str, bytes] = {}
        for seat in self.seats(recording):
            with contextlib.suppress(KeyStoreError):
                if (key := self.existing_key(recording, seat)) is not None:
                    found[seat] = key
        return found

    def fingerprint(self, recording: str, seat: str) -> str | None:
        """SHA-256 in hex that names a seat's key without telling it, the same after its destruction.

        None when there never was a key (or one of before fingerprints, already destroyed).
        """
        path = self._path(recording, seat)
        try:
            return self._print(path).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            pass
        with contextlib.suppress(KeyStoreError):
            if (key := self.existing_key(recording, seat)) is not None:
                return fingerprint_of(recording, seat, key)
        return None

    def destroy(self, recording: str, seat: str) -> bool:
        """Shred a seat's key: what was sealed under it can never be read again. True if there was one.

        A mark stays, so that no new key is ever made for the seat in this recording.
        """
        path = self._path(recording, seat)
        with self._lock:
            private_directory(path.parent)
            write_once(self._tomb(path), b"")
            copies = [*path.parent.glob(f".{path.name}.*")]  # a crash while it was made may have left one
            found = [each for each in (path, *copies) if _shred(each)]
            if found:
                fsync_directory(path.parent)
        return path in found

    def is_gone(self, recording: str, seat: str) -> bool:
        """True when the mark is there and the key is not: the proof behind a receipt."""
        path = self._path(recording, seat)
        left = path.exists() or any(path.parent.glob(f".{path.name}.*"))
        return self._tomb(path).exists() and not left

    def tombs(self) -> Iterator[tuple[str, str]]:
        """(recording, seat) of every destroyed key; the seat may be `room`."""
        for path in sorted(self._keys.glob("*/*.destroyed")):
            if _ID.match(path.parent.name) and (path.stem == ROOM or _ID.match(path.stem)):
                yield path.parent.name, path.stem

    def destroyed(self, recording: str, seat: str) -> bool:
        """True if this seat's key was shredded on purpose."""
        return self._tomb(self._path(recording, seat)).exists()

    def _path(self, recording: str, seat: str) -> Path:
        return self._keys / _recording_id(recording) / f"{_seat_id(seat)}.key"

    def _make(self, recording: str, seat: str, path: Path) -> None:
        key = secrets.token_bytes(KEY_BYTES)
        if write_once(path, self._wrap(recording, seat, key)):
            self._print(path).unlink(missing_ok=True)
            write_once(self._print(path), fingerprint_of(recording, seat, key).encode("ascii"))

    @staticmethod
    def _print(path: Path) -> Path:
        return path.with_suffix(".print")

    @staticmethod
    def _tomb(path: Path) -> Path:
        return path.with_suffix(".destroyed")

    @staticmethod
    def _bound_to(recording: str, seat: str) -> bytes:
        return f"{recording}|{seat}|{VERSION}".encode()

    def _wrap(self, recording: str, seat: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _MAGIC + nonce + self._kek.encrypt(nonce, key, self._bound_to(recording, seat))

    def _load(self, recording: str, seat: str, path: Path) -> bytes | None:
        if self._tomb(path).exists():  # first: a crash may have left the key beside its tombstone
            raise KeyStoreError("key_destroyed")
        try:
            content = _read_exact(path, _WRAPPED_BYTES, "key_unreadable")
        except FileNotFoundError:
            return None
        if not content.startswith(_MAGIC):
            raise KeyStoreError("key_unreadable")
        nonce = content[len(_MAGIC) : len(_MAGIC) + _NONCE_BYTES]
        sealed = content[len(_MAGIC) + _NONCE_BYTES :]
        try:
            return self._kek.decrypt(nonce, sealed, self._bound_to(recording, seat))
        except InvalidTag as error:
            raise KeyStoreError("key_unreadable") from error
