"""One composition: the composer as a child, its job on the pipe, ciphertext served to it by range.

The child stands back for whoever wants the processor. It dies with the server and with `stop`. What it wrote
counts only after a good result line.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

from media.compose.source import ANSWER, QUESTION
from server.export.making import ExportError, Prepared
from server.runtime.job_child import JobChild
from server.runtime.machinery import COMPOSER
from server.runtime.objects import ObjectError, StoredObject
from server.runtime.tasks import TaskOwner

MOST = 1 << 20


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
        self._helpers = TaskOwner("composing")
        self._child = JobChild("composer", COMPOSER, self._helpers, ExportError)
        self._stopped = False

    def stop(self) -> None:
        """Kill it; `run` raises ExportError(cancelled)."""
        self._stopped = True
        self._child.kill()

    async def run(
        self, prepared: Prepared, told: Callable[[int], None] = lambda _progress: None
    ) -> dict[str, Any]:
        """The result line. Raises ExportError: cancelled, composer_killed, composer_silent or its own."""

        def said(line: dict[str, Any]) -> None:
            if isinstance(line.get("progress"), int):
                self.progress = line["progress"]
                told(self.progress)

        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            self._helpers.spawn(serve_ranges(ours, prepared.stored), "ranges")
            number = theirs.fileno()
            job = prepared.line(number)
            try:
                # Closed when the child has its own: ours must end when the child's does.
                result = await self._child.run(job, inherits=(number,), started=theirs.close, said=said)
            except ExportError:
                if not self._stopped:
                    raise
            finally:
                await self._helpers.close()
        if self._stopped:
            raise ExportError("cancelled")
        return result
