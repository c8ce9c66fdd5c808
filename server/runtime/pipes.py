"""A child's standard error into our log, line by line. It must not keep an endless line whole."""

from __future__ import annotations

import asyncio
import logging

MAX_LINE = 4096


async def pass_through(stream: asyncio.StreamReader, to: logging.Logger) -> None:
    """Until the end of the stream; longer lines are cut at MAX_LINE bytes."""
    rest = b""
    while chunk := await stream.read(65536):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[:MAX_LINE]
        for line in lines:
            _tell(line, to)
    _tell(rest, to)


def _tell(line: bytes, to: logging.Logger) -> None:
    if text := line[:MAX_LINE].decode("utf-8", "replace").strip():
        to.info("%s", text)
