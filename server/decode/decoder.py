"""The parent's side: starts a child for each document, answers its reads, judges what it says.

It must not look into a document itself, nor believe a child further than its fields go.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from server.decode import wire
from server.decode.inspection import REFUSALS, Inspection
from server.decode.limits import NARROWEST, WIDEST
from server.decode.source import LONGEST_READ, Source
from server.domain.errors import Refused

log = logging.getLogger("hyeopjin.decode")

CHILD = (sys.executable, "-E", "-s", "-B", "-m", "server.decode.child")
_PACKAGES = Path(__file__).resolve().parents[2]
_KILLED_BY_LIMIT = (-signal.SIGXCPU, -signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds of processor and of wall clock for one job."""

    cpu_s: int
    wall_s: float


INSPECTION = Patience(cpu_s=90, wall_s=180)
PREVIEW = Patience(cpu_s=20, wall_s=40)


class _Lost(Exception):  # noqa: N818 - what happened to the child
    """It said or asked what no child of ours does."""


class Decoder:
    """`inspect` and `preview`; at most `at_once` children at a time, the others wait in turn."""

    def __init__(
        self,
        *,
        at_once: int = 1,
        command: tuple[str, ...] = CHILD,
        inspection: Patience = INSPECTION,
        preview: Patience = PREVIEW,
    ) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._command = command
        self._inspection = inspection
        self._preview = preview

    async def inspect(self, source: Source, name: str = "") -> Inspection:
        """What `source` is. A document that is not accepted comes back with its `refusal`.

        `name` never reaches the child: types go by content. Raises Refused("decoder_unavailable") when no
        child can be started here, and whatever `source.read` raises.
        """
        said = await self._ask({"job": "inspect"}, source, self._inspection)
        try:
            found = Inspection.model_validate_json(said)
        except ValidationError:
            log.warning("a decoding child said what is no inspection")
            return Inspection(refusal="document_damaged")
        return found if found.refusal or found.media_type else Inspection(refusal="document_damaged")

    async def preview(self, source: Source, page: int, width: int, *, order: str = "") -> bytes:
        """A PNG or JPEG of page `page` (from 0), at most `width` pixels wide, without any metadata.

        `order` as in the Inspection. Raises Refused: `page_unknown`, `no_preview`, or a code that
        `Inspection.refusal` can have.
        """
        if page < 0:
            raise Refused("page_unknown")
        wanted = {"job": "preview", "page": page, "width": min(max(width, NARROWEST), WIDEST), "order": order}
        said = await self._ask(wanted, source, self._preview)
        if said.startswith((wire.PNG, wire.JPEG)):
            return said
        with contextlib.suppress(ValueError, AttributeError):
            code = json.loads(said).get("refusal")
            if code in REFUSALS or code in ("page_unknown", "no_preview"):
                raise Refused(code)
        raise Refused("document_damaged")

    async def _ask(self, job: dict[str, object], source: Source, patience: Patience) -> bytes:
        """What the child said last; a refusal where it was lost."""
        async with self._turn:
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    process = await self._start(theirs)
            except BaseException:
                ours.close()
                raise
            reader, writer = await asyncio.open_connection(sock=ours, limit=wire.LONGEST_TOLD)
            said = b""
            try:
                async with asyncio.timeout(patience.wall_s):
                    told = json.dumps({**job, "size": source.size, "cpu_s": patience.cpu_s}).encode()
                    writer.write(wire.LENGTH.pack(len(told)) + told)
                    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                        said = await _answer_reads(reader, writer, source)
                    await process.wait()
            except TimeoutError:
                return _refusal("document_too_heavy")
            except _Lost:
                log.warning("a decoding child asked for what it may not")
                return _refusal("document_damaged")
            finally:
                await _end(process, writer)
            return said if said and process.returncode == 0 else _reason(process.returncode)

    async def _start(self, theirs: socket.socket) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                str(os.getpid()),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,  # libraries say there what they found
                start_new_session=True,
                cwd=_PACKAGES,
                env={},
            )
        except OSError:
            raise Refused("decoder_unavailable") from None


async def _answer_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source: Source) -> bytes:
    """Send the ranges that are asked for, until there is an answer. Raises _Lost."""
    left = 4 * source.size + 256 * 1024 * 1024  # a child in a loop would keep us decrypting
    while True:
        kind, offset, length = wire.FRAME.unpack(await reader.readexactly(wire.FRAME.size))
        most = {wire.TOLD: wire.LONGEST_TOLD, wire.PICTURE: wire.LONGEST_PICTURE}.get(kind, LONGEST_READ)
        if not 0 < length <= most:
            raise _Lost
        if kind != wire.READ:
            return await reader.readexactly(length)
        left -= length
        if offset + length > source.size or left < 0:
            raise _Lost
        writer.write(await source.read(offset, length))
        await writer.drain()


async def _end(process: asyncio.subprocess.Process, writer: asyncio.StreamWriter) -> None:
    """Whatever happened: no child and no descriptor stays."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    await process.wait()


def _refusal(code: str) -> bytes:
    return json.dumps({"refusal": code}).encode()


def _reason(returncode: int | None) -> bytes:
    """Why there was no answer."""
    if returncode == wire.CANNOT_SHUT:
        log.error("a decoding child could not close itself in: no document is decoded on this machine")
        raise Refused("decoder_unavailable")
    if returncode in _KILLED_BY_LIMIT:
        return _refusal("document_too_heavy")
    log.warning("a decoding child was lost with %s", returncode)
    return _refusal("document_damaged")
