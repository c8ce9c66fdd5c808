"""Asks a virus scanner about a document: clamd's INSTREAM, or an ICAP server (RFC 3507, RESPMOD).

What the scanner answers is a stranger's bytes: read with a bound, and whatever is not clearly "clean" or
clearly "found" is `unclear`. It must not decide what becomes of the document, nor log what a scanner says
(it may quote names). The document goes over the line in plain: the scanner stands on this machine or near it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Final, Protocol
from urllib.parse import urlsplit

from server.decode.source import Source
from server.document_settings import DocumentSettings
from server.runtime.scan_wrap import OVERHEAD, wrapped

CHUNK: Final = 64 * 1024
CONNECT_S: Final = 5.0
SILENCE_S: Final = 120.0
"""So long a scanner may think about what it was sent, or not take more."""
MOST_ANSWER: Final = 64 * 1024
#: How an ICAP server says that it found something (none is in the RFC, these are what servers send).
FOUND_HEADERS: Final = ("x-infection-found", "x-virus-id", "x-violations-found")
_STATUS: Final = re.compile(r"ICAP/1\.[0-9] ([1-5][0-9]{2})(?: |\Z)")
_INNER: Final = re.compile(r"HTTP/1\.[01] ([1-5][0-9]{2})(?: |\Z)")


class ScanError(Exception):
    """No answer that says anything. `code`: scanner_away, scanner_unclear, scanner_limit (too large)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Scanner(Protocol):
    async def infected(self, source: Source) -> bool:
        """Whether something was found. Raises ScanError, and what `source.read` raises."""
        ...


def scanner_of(settings: DocumentSettings) -> Scanner | None:
    """The scanner that is set up; clamd, if both are. It is asked about no more than it looks through."""
    made: Scanner | None = Clamd(settings.clamd) if settings.clamd else None
    if made is None and settings.icap:
        made = Icap(settings.icap)
    return made and Bounded(made, settings.scan_bytes)


class Bounded:
    """Beyond their own limits scanners may say "clean" of what they have not looked at."""

    def __init__(self, scanner: Scanner, most: int) -> None:
        self._scanner = scanner
        self._most = most

    async def infected(self, source: Source) -> bool:
        """As `Scanner`."""
        if source.size > self._most:
            raise ScanError("scanner_limit")
        return await self._scanner.infected(source)


class Clamd:
    """clamd(8), `zINSTREAM`: chunks with their length before them, an empty one at the end."""

    def __init__(self, address: str, silence_s: float = SILENCE_S) -> None:
        self._address = address
        self._silence_s = silence_s

    async def infected(self, source: Source) -> bool:
        """As `Scanner`."""
        async with _line(self._address, self._silence_s) as line:
            try:
                await line.send(b"zINSTREAM\x00")
                async for chunk in _chunks(source):
                    await line.send(len(chunk).to_bytes(4, "big") + chunk)
                await line.send(bytes(4))
            except ConnectionError:
                pass  # over its limit it answers and hangs up
            return clamd_found(await line.all())


def clamd_found(answer: bytes) -> bool:
    """`stream: OK` or `stream: <name> FOUND`, with or without its end. Raises ScanError."""
    text = answer.rstrip(b"\x00\r\n")
    if text == b"stream: OK":
        return False
    if (
        text.startswith(b"stream: ")
        and text.endswith(b" FOUND")
        and b"\n" not in text
        and b"\x00" not in text
    ):
        return True
    raise ScanError("scanner_limit" if b"size limit exceeded" in text else "scanner_unclear")


class Icap:
    """RESPMOD with the document as the body of an answer without a name; 204 means unchanged: clean. It comes
    as the member of a zip (`scan_wrap.py`), for such a server looks only into some types.
    """

    def __init__(self, url: str, silence_s: float = SILENCE_S) -> None:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._address = f"{host}:{parts.port or 1344}"
        self._url = url
        self._silence_s = silence_s

    async def infected(self, source: Source) -> bool:
        """As `Scanner`."""
        inner = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\n"
            f"Content-Length: {source.size + OVERHEAD}\r\n\r\n"
        )
        head = (
            f"RESPMOD {self._url} ICAP/1.0\r\nHost: {self._address}\r\nAllow: 204\r\nConnection: close\r\n"
            f"Encapsulated: res-hdr=0, res-body={len(inner)}\r\n\r\n"
        )
        async with _line(self._address, self._silence_s) as line:
            try:
                await line.send((head + inner).encode("ascii"))
                async for chunk in wrapped(_chunks(source), source.size):
                    await line.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await line.send(b"0\r\n\r\n")
            except ConnectionError:
                pass  # some say what they found before all was sent
            return icap_found(await line.head())


def icap_found(answer: bytes) -> bool:
    """The head of an answer, and what came with it. Raises ScanError.

    204: not changed. 200 with a header that names something, or with an inner answer that is an error page:
    found. Any other 200 was changed for a reason that we do not know.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    match = _STATUS.match(lines[0])
    if match is None:
        raise ScanError("scanner_unclear")
    names = {line.partition(":")[0].strip().lower() for line in lines[1:]}
    if match[1] in ("200", "201", "204") and any(name in names for name in FOUND_HEADERS):
        return True
    if match[1] == "204":
        return False
    inner = _INNER.match(body[:64].decode("latin-1").split("\r\n")[0])
    if match[1] == "200" and inner is not None and inner[1] >= "400":
        return True
    raise ScanError("scanner_limit" if match[1] == "413" else "scanner_unclear")


async def _chunks(source: Source) -> AsyncIterator[bytes]:
    for start in range(0, source.size, CHUNK):
        yield await source.read(start, min(CHUNK, source.size - start))


class _Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silence_s: float) -> None:
        self._reader, self._writer, self._silence_s = reader, writer, silence_s

    async def send(self, data: bytes) -> None:
        """Raises ConnectionError, TimeoutError."""
        self._writer.write(data)
        async with asyncio.timeout(self._silence_s):
            await self._writer.drain()

    async def all(self) -> bytes:
        """What comes until it hangs up, or says NUL."""
        return await self._until(b"\x00")

    async def head(self) -> bytes:
        """What comes until the inner head is whole, or it hangs up."""
        return await self._until(b"\r\n\r\n", 2)

    async def _until(self, mark: bytes, times: int = 1) -> bytes:
        kept = b""
        with contextlib.suppress(ConnectionError):
            while kept.count(mark) < times and len(kept) < MOST_ANSWER:
                async with asyncio.timeout(self._silence_s):
                    more = await self._reader.read(4096)
                if not more:
                    break
                kept += more
                if times > 1 and kept.count(mark) and b" 204" in kept.split(b"\r\n", 1)[0]:
                    break  # nothing comes after it
        return kept


@contextlib.asynccontextmanager
async def _line(address: str, silence_s: float) -> AsyncIterator[_Line]:
    """Raises ScanError scanner_away when nobody is there, or nothing moves for long."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(CONNECT_S):
            if address.startswith("unix:"):
                reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
            else:
                host, port = address.rsplit(":", 1)
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        yield _Line(reader, writer, silence_s)
    except (OSError, TimeoutError) as error:
        raise ScanError("scanner_away") from error
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
