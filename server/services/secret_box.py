"""Seals small secrets that must be read again, as authenticators' are: its key is not in the database."""

from __future__ import annotations

import asyncio
import base64
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.runtime.keystore import private_directory, write_once

NAME = "sign_in_key"
KEY_BYTES, NONCE_BYTES = 32, 12


class SecretBox:
    """AES-256-GCM under `secrets/sign_in_key`, which is made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._key: AESGCM | None = None

    async def seal(self, secret: bytes, about: str) -> str:
        """`about` must be said again to open it: what was sealed for one account opens for no other."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = (await self._cipher()).encrypt(nonce, secret, about.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    async def open(self, sealed: str, about: str) -> bytes | None:
        """None when it was sealed under another key: that one is lost."""
        raw = base64.urlsafe_b64decode(sealed)
        try:
            return (await self._cipher()).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], about.encode())
        except InvalidTag:
            return None

    async def _cipher(self) -> AESGCM:
        if self._key is None:
            self._key = AESGCM(await asyncio.to_thread(self._read))
        return self._key

    def _read(self) -> bytes:
        private_directory(self._path.parent)
        if not self._path.exists():
            write_once(self._path, secrets.token_bytes(KEY_BYTES))  # or somebody else did just now
        return self._path.read_bytes()
