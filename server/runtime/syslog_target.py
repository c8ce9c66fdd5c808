"""A syslog collector: datagrams, or a stream that is kept open, with TLS or not. It knows no entries."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

from server.audit_settings import AuditSettings
from server.domain.syslog import framed

CONNECT_S = 10.0
SEND_S = 20.0


class SyslogTarget:
    """`send` raises OSError when not everything was handed over; then all of it is to be sent again."""

    def __init__(self, settings: AuditSettings) -> None:
        parts = urlsplit(settings.syslog)
        assert parts.hostname and parts.port  # noqa: S101, PT018 - the settings have looked
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port
        self._ca = settings.syslog_ca
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, messages: Sequence[bytes]) -> None:
        try:
            if self._scheme == "udp":
                await self._datagrams(messages)
                return
            async with asyncio.timeout(SEND_S):
                _, writer = await self._connected()
                writer.write(b"".join(framed(one) for one in messages))
                await writer.drain()
        except (OSError, EOFError) as error:
            await self.close()
            raise OSError("the collector does not take it") from error

    async def close(self) -> None:
        if self._stream is not None:
            writer, self._stream = self._stream[1], None
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        # A collector never speaks: something to read is its goodbye.
        if self._stream is not None and (self._stream[0].at_eof() or self._stream[1].is_closing()):
            await self.close()
        if self._stream is None:
            async with asyncio.timeout(CONNECT_S):
                self._stream = await asyncio.open_connection(self._host, self._port, ssl=self._tls())
        return self._stream

    def _tls(self) -> ssl.SSLContext | None:
        if self._scheme != "tls":
            return None
        context = ssl.create_default_context(cafile=None if self._ca is None else str(self._ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    async def _datagrams(self, messages: Sequence[bytes]) -> None:
        loop = asyncio.get_running_loop()
        address = (self._host, self._port)
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        try:
            for one in messages:
                transport.sendto(one)
        finally:
            transport.close()
