"""Virus scanners for tests: real TCP servers that speak clamd's INSTREAM and ICAP, and look for one mark."""

from __future__ import annotations

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator

from server.commands.scan_check import TEST_FILE

MARK = b"SYNTHETIC-VIRUS"
MARKS = (MARK, TEST_FILE)


def found_in(body: bytes | bytearray) -> bool:
    return any(mark in body for mark in MARKS)


class Scanner:
    """`seen`: what it was sent, whole, newest last. `limit`: more than that it does not take."""

    def __init__(self, limit: int = 1 << 30) -> None:
        self.seen: list[bytes] = []
        self.limit = limit
        self.says: bytes | None = None  # instead of what it would say
        self.port = 0

    async def _clamd(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\x00"
        body = bytearray()
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            if len(body) + size > self.limit:
                writer.write(b"INSTREAM size limit exceeded. ERROR\x00")
                return
            body += await reader.readexactly(size)
        self.seen.append(bytes(body))
        found = b"stream: Synthetic.Test FOUND\x00" if found_in(body) else b"stream: OK\x00"
        writer.write(self.says or found)

    async def _icap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("RESPMOD icap://127.0.0.1:")
        assert "Allow: 204" in head
        inner = await reader.readuntil(b"\r\n\r\n")
        assert f"res-hdr=0, res-body={len(inner)}" in head
        assert "Content-Type: application/zip" in inner.decode()
        sent = bytearray()
        while size := int(await reader.readline(), 16):
            sent += (await reader.readexactly(size + 2))[:-2]
        assert await reader.readline() == b"\r\n"
        assert f"Content-Length: {len(sent)}\r\n" in inner.decode()
        with zipfile.ZipFile(io.BytesIO(sent)) as archive:
            (member,) = archive.infolist()
            body = archive.read(member)
        self.seen.append(body)
        clean = b'ICAP/1.0 204 No Content\r\nISTag: "1"\r\n\r\n'
        page = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n"
        found = (
            b"ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; Resolution=2; Threat=Synthetic.Test;\r\n"
            b"Encapsulated: res-hdr=0, res-body=%d\r\n\r\n" % len(page)
        ) + page
        writer.write(self.says or (found if found_in(body) else clean))


@contextlib.asynccontextmanager
async def scanner(kind: str, limit: int = 1 << 30) -> AsyncIterator[Scanner]:
    """A running one; `kind` is clamd or icap."""
    made = Scanner(limit)
    speak = made._clamd if kind == "clamd" else made._icap

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await speak(reader, writer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answered, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


def address(kind: str, port: int) -> str:
    """As the settings have it."""
    return f"127.0.0.1:{port}" if kind == "clamd" else f"icap://127.0.0.1:{port}/avscan"
