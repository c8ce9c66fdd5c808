"""The worker's end of the control channel: a Unix socket only its owner can open, any number of clients.

Requests of one client are answered in the order in which they finish; events go to every client. It knows
messages,
not rooms.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from media import control
from media.control import ControlRefusedError, Request
from media.control_client import LineProtocol
from media.tasks import TaskOwner

log = logging.getLogger("hyeopjin.media.control")

MAX_UNSENT = 8 << 20
"""A client that leaves this many bytes unread is cut off; it gets whole states when it comes back."""

Handle = Callable[[Request], Awaitable[dict[str, Any]]]


class ControlServer:
    """Listens on `path` (0600, in a directory of 0700). `handle` gives a reply's values or refuses."""

    def __init__(self, path: Path, handle: Handle) -> None:
        self._path = path
        self._handle = handle
        self._clients: set[LineProtocol] = set()
        self._tasks = TaskOwner("control")
        self._told = 0
        self._server: asyncio.AbstractServer | None = None
        self.cut = 0
        """Clients cut off because they did not read."""

    async def start(self) -> None:
        """Binds the socket; a stale one of a dead worker is replaced. Raises OSError."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(self._path.parent, 0o700)
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(self._path.lstat().st_mode):
                self._path.unlink()
        before = os.umask(0o177)
        try:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_unix_server(self._client, str(self._path))
        finally:
            os.umask(before)
        os.chmod(self._path, 0o600)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Sends an event to every client, numbered: of several that hear it, one need act on it."""
        if not self._clients:
            return
        self._told += 1
        line = control.encode({**event, "n": self._told})
        for client in list(self._clients):
            transport = client.transport
            if transport is None:
                continue
            if transport.get_write_buffer_size() > MAX_UNSENT:
                log.warning("a control client does not read, cutting it off")
                self.cut += 1
                transport.abort()
                continue
            client.write(line)

    async def close(self) -> None:
        """Stops listening and closes every client after what was written to it."""
        if self._server is not None:
            self._server.close()
        await self._tasks.close()
        for client in list(self._clients):
            client.close()
        # One turn of the loop, so that what is buffered is written before the process ends.
        await asyncio.sleep(0)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _client(self) -> LineProtocol:
        def on_line(line: bytes) -> None:
            self._line(client, line)

        def on_lost() -> None:
            self._clients.discard(client)

        client = LineProtocol(on_line, on_lost)
        self._clients.add(client)
        return client

    def _line(self, client: LineProtocol, line: bytes) -> None:
        try:
            request = control.parse_request(line)
        except ControlRefusedError as refused:
            client.write(control.refusal(refused.request_id, refused.code))
            return
        self._tasks.start(self._answer(client, request))

    async def _answer(self, client: LineProtocol, request: Request) -> None:
        try:
            values = await self._handle(request)
        except ControlRefusedError as refused:
            client.write(control.refusal(request.id, refused.code))
        except Exception:
            log.exception("a control request failed")
            client.write(control.refusal(request.id, "internal"))
        else:
            client.write(control.ok(request.id, **values))
