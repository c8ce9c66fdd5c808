"""One place that holds objects: a directory of this machine, or a bucket of an S3-compatible store.

An object appears whole or not at all, and one that is there is never written again: small ones are put with
`If-None-Match: *`, large ones by multipart after a look, by whoever holds the folder's claim (`objects.py`).
The only file that imports obstore. It must not see a key, a plaintext or a credential's value in a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

SINGLE_PUT = 16 * 1024 * 1024
"""Up to this an object is put in one request, which the store itself refuses when the name is taken."""
PART = 8 * 1024 * 1024
PARTS_AT_ONCE = 2
PIECE = 4 * 1024 * 1024
"""So much of an object is held while it is read back or fetched."""
AHEAD = 512 * 1024
"""A remote reader fetches this much at once: a request a 64 KiB segment would be all waiting."""
REQUEST_S = timedelta(seconds=60)
CONNECT_S = timedelta(seconds=5)
RETRY_S = timedelta(seconds=10)
RETRIES = 3


class ObjectError(Exception):
    """`code`: object_name_invalid, object_missing, object_exists, object_differs, store_refused (credentials
    or rights), store_unreachable (anything else: network, a fault of the store).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class S3Options:
    """An S3-compatible store. `endpoint` empty: AWS in `region`. Its repr shows no secret."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    allow_http: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as a listing shows it: its path below the bucket's prefix, its size in bytes."""

    path: str
    size: int


class Bucket:
    """Objects by path. `remote` says whether it is beyond this machine. Safe from several threads."""

    def __init__(self, store: Any, *, remote: bool) -> None:
        self._store = store
        self.remote = remote
        self.answers = True  # whether the last request was answered

    @classmethod
    def local(cls, root: Path) -> Bucket:
        """A directory, which must exist."""
        return cls(LocalStore(prefix=root), remote=False)

    @classmethod
    def s3(cls, options: S3Options) -> Bucket:
        """A bucket over HTTP. Makes no request yet."""
        named: dict[str, Any] = {"region": options.region}
        if options.endpoint:
            named["endpoint"] = options.endpoint
        if options.session_token:
            named["session_token"] = options.session_token
        store = S3Store(
            options.bucket,
            prefix=options.prefix or None,
            access_key_id=options.access_key_id,
            secret_access_key=options.secret_access_key,
            client_options={
                "timeout": REQUEST_S,
                "connect_timeout": CONNECT_S,
                "allow_http": options.allow_http,
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": RETRY_S},
            **named,
        )
        return cls(store, remote=True)

    # --- writing -----------------------------------------------------------------------------------

    async def put_new(self, path: str, content: Path | bytes) -> None:
        """Store an object that is not there yet. Raises ObjectError object_exists when it is.

        Returns when the store has confirmed it. A file is streamed, some parts at a time.
        """
        size = await asyncio.to_thread(_size_of, content)
        with self._asking():
            if size <= SINGLE_PUT or not self.remote:
                body = content if not self.remote else await asyncio.to_thread(_bytes_of, content)
                await obstore.put_async(self._store, path, body, mode="create")
                return
            if await self.size(path) is not None:
                raise ObjectError("object_exists")
            await obstore.put_async(
                self._store,
                path,
                content,
                use_multipart=True,
                chunk_size=PART,
                max_concurrency=PARTS_AT_ONCE,
            )

    async def delete(self, *paths: str) -> None:
        """Remove objects; one that is not there is no error."""
        for path in paths:
            with contextlib.suppress(FileNotFoundError), self._asking(missing=False):
                await obstore.delete_async(self._store, path)

    # --- reading -----------------------------------------------------------------------------------

    async def size(self, path: str) -> int | None:
        """An object's size in bytes, None when there is none."""
        try:
            with self._asking(missing=False):
                return int((await obstore.head_async(self._store, path))["size"])
        except FileNotFoundError:
            return None

    async def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`; the caller knows that the object has them."""
        with self._asking():
            return bytes(await obstore.get_range_async(self._store, path, start=start, end=start + length))

    def read_now(self, path: str, start: int, length: int) -> bytes:
        """The same, blocking: for a thread."""
        with self._asking():
            return bytes(obstore.get_range(self._store, path, start=start, end=start + length))

    async def pieces(self, path: str) -> AsyncIterator[bytes]:
        """The whole object, a few MiB at a time. Raises ObjectError object_missing."""
        size = await self.size(path)
        if size is None:
            raise ObjectError("object_missing")
        for start in range(0, size, PIECE):
            yield await self.read(path, start, min(PIECE, size - start))

    async def digest(self, path: str) -> tuple[int, str]:
        """Size and SHA-256 of what the store gives back now. Raises ObjectError object_missing."""
        size, digest = 0, hashlib.sha256()
        async for piece in self.pieces(path):
            size += len(piece)
            digest.update(piece)
        return size, digest.hexdigest()

    def listing(self, folder: str) -> list[Entry]:
        """Everything below a folder, sorted by path. Blocking: for a thread."""
        with self._asking():
            found = [
                Entry(str(row["path"]), int(row["size"]))
                for page in obstore.list(self._store, folder)
                for row in page
            ]
        return sorted(found, key=lambda entry: entry.path)

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly below one, sorted. Blocking: for a thread."""
        with self._asking():
            found = obstore.list_with_delimiter(self._store, folder)["common_prefixes"]
        return sorted(str(path).rstrip("/").rsplit("/", 1)[-1] for path in found)

    @contextlib.contextmanager
    def _asking(self, *, missing: bool = True) -> Iterator[None]:
        """The library's errors as ours; their texts name addresses, so only the code is kept."""
        code = ""
        try:
            yield
        except FileNotFoundError:
            if not missing:
                raise
            code = "object_missing"
        except (AlreadyExistsError, PreconditionError):
            code = "object_exists"
        except (PermissionDeniedError, UnauthenticatedError):
            code = "store_refused"
        except BaseError:
            code = "store_unreachable"
        self.answers = not code.startswith("store_")
        if code:
            raise ObjectError(code) from None


def _size_of(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _bytes_of(content: Path | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()
