"""One composition: the composer as a child, its job on the pipe, ciphertext served to it by range.

The child stands back for whoever wants the processor. It dies with the server and with `stop`. What it wrote
counts only after a good result line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from server.export.making import ExportError, Prepared
from server.runtime.machinery import child_environment
from server.runtime.objects import ObjectError, StoredObject
from server.runtime.pipes import pass_through
from server.runtime.tasks import TaskOwner

child_log = logging.getLogger("hyeopjin.media.composer")

SILENCE_S = 300.0
"""A child that says nothing for so long is taken for hung."""
QUESTION = struct.Struct(">HQI")
ANSWER = struct.Struct(">i")
MOST = 1 << 20
_PACKAGES = Path(__file__).resolve().parents[2]


async def serve_ranges(link: socket.socket, stored: Sequence[StoredObject]) -> None:
    """Answers a composer's questions (`media.compose.source`) until it hangs up."""
    reader, writer = await asyncio.open_unix_connection(sock=link)
    try:
        while True:
            number, start, length = QUESTION.unpack(await reader.readexactly(QUESTION.size))
            try:
                if number >= len(stored) or length > MOST:
                    raise ObjectError("object_missing")
                data = await stored[number].read(start, length)
                writer.write(ANSWER.pack(len(data)) + data)
            except (ObjectError, OSError):
                writer.write(ANSWER.pack(-1))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


class Composition:
    """Run once. `progress` is in thousandths."""

    def __init__(self) -> None:
        self.progress = 0
        self._process: asyncio.subprocess.Process | None = None
        self._stopped = False

    def stop(self) -> None:
        """Kill it; `run` raises ExportError(cancelled)."""
        self._stopped = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def run(
        self, prepared: Prepared, told: Callable[[int], None] = lambda _progress: None
    ) -> dict[str, Any]:
        """The result line. Raises ExportError: cancelled, composer_killed, composer_silent or its own."""
        ours, theirs = socket.socketpair()
        helpers = TaskOwner("composing")
        with ours, theirs:
            ours.setblocking(False)
            helpers.spawn(serve_ranges(ours, prepared.stored), "ranges")
            try:
                return await self._run(prepared, theirs, told, helpers)
            finally:
                await helpers.close()

    async def _run(
        self,
        prepared: Prepared,
        theirs: socket.socket,
        told: Callable[[int], None],
        helpers: TaskOwner,
    ) -> dict[str, Any]:
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.runtime.child",
            "media.composer",
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            cwd=_PACKAGES,
            env=child_environment(),
            pass_fds=(theirs.fileno(),),
        )
        try:
            assert process.stderr is not None  # noqa: S101 - PIPE was asked for
            errors = helpers.spawn(pass_through(process.stderr, child_log), "stderr")
            if self._stopped:  # while it was being started
                self.stop()
            result = await self._converse(process, prepared.line(theirs.fileno()), theirs, told)
            code = await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            await asyncio.wait([errors], timeout=0.5)
        if self._stopped:
            raise ExportError("cancelled")
        if code != 0 or not result.get("ok"):
            raise ExportError("composer_killed" if code < 0 else _code_of(result))
        return result

    async def _converse(
        self,
        process: asyncio.subprocess.Process,
        job: bytes,
        theirs: socket.socket,
        told: Callable[[int], None],
    ) -> dict[str, Any]:
        assert process.stdin is not None  # noqa: S101 - PIPE was asked for
        assert process.stdout is not None  # noqa: S101
        theirs.close()  # the child has its own; ours must end when the child's does
        with contextlib.suppress(ConnectionError):
            process.stdin.write(job)
            await process.stdin.drain()
            process.stdin.close()
        result: dict[str, Any] = {}
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), SILENCE_S)
            except (TimeoutError, ValueError):
                raise ExportError("composer_silent") from None
            if not line:
                return result
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and isinstance(said.get("progress"), int):
                    self.progress = said["progress"]
                    told(self.progress)
                elif isinstance(said, dict):
                    result = said


def _code_of(result: dict[str, Any]) -> str:
    code = result.get("code")
    return code if isinstance(code, str) and code.replace("_", "").isalnum() else "composer_failed"
