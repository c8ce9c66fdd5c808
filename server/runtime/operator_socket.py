"""The operator's way into a running server: a Unix socket in the run directory, for its account and root.

One JSON line asks, one answers: `{"op": "workers"}`, `{"op": "drain", "worker": "1"}`. It must not be
reachable from the network, nor tell anything of rooms or people but their number.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from server.runtime.tasks import describe

log = logging.getLogger("hyeopjin.runtime.operator")

NAME = "operator.sock"
MAX_LINE = 4096
ANSWER_S = 10.0
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED

Answer = dict[str, Any]
Handle = Callable[[Answer], Awaitable[Answer]]


class OperatorError(Exception):
    """No server answers, or it refuses. `code` is stable: no_server, or what the server said."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextlib.contextmanager
def _short(run_dir: Path) -> Iterator[str]:
    """A name of the socket that fits into an address however deep the directory lies (108 bytes, unix(7))."""
    folder = os.open(run_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


class OperatorSocket:
    """Answers until closed. `handle` gets a JSON object and gives one; it refuses by `{"ok": false, …}`."""

    def __init__(self, run_dir: Path, handle: Handle) -> None:
        self._run_dir = run_dir
        self._handle = handle
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Binds; a socket that a killed server left is replaced. Raises OSError."""
        self._run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = os.umask(0o177)
        try:
            with _short(self._run_dir) as path:
                self._server = await asyncio.start_unix_server(self._serve, path, limit=MAX_LINE)
        finally:
            os.umask(before)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        (self._run_dir / NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._answer(writer, await reader.readline())
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, ValueError, OSError) as error:
            log.warning("an operator's request was not answered: %s", describe(error))
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, line: bytes) -> Answer:
        if _uid_of(writer) not in (0, os.getuid()):
            return {"ok": False, "code": "forbidden"}
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            return {"ok": False, "code": "bad_request"}
        try:
            return await self._handle(request)
        except Exception as error:
            log.error("an operator's request failed: %s", describe(error))
            return {"ok": False, "code": "internal"}


def _uid_of(writer: asyncio.StreamWriter) -> int:
    peer = writer.get_extra_info("socket")
    packed = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(packed)[1])


def ask(run_dir: Path, request: Answer, timeout: float = ANSWER_S) -> Answer:
    """From the command line, blocking. Raises OperatorError: `no_server` when nobody listens there."""
    try:
        with _short(run_dir) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout)
            line.connect(path)
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as reader:
                answer = json.loads(reader.readline() or b"null")
    except (OSError, ValueError):
        raise OperatorError("no_server") from None
    if not isinstance(answer, dict) or answer.get("ok") is not True:
        raise OperatorError(str((answer or {}).get("code", "no_server")))
    return answer
