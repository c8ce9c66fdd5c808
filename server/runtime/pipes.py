"""A child's standard error into our log, line by line. It must not keep an endless line whole.

Our children write JSON lines (`event`, `level`, `logger`); anything else (a crash's traceback) is passed on
as it is, at the level of an error.
"""

from __future__ import annotations

import asyncio
import json
import logging

MAX_LINE = 4096
_OURS = frozenset({"event", "level", "logger", "timestamp"})


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
    text = line[:MAX_LINE].decode("utf-8", "replace").strip()
    if not text:
        return
    told = _parsed(text)
    if told is None:
        to.error("%s", text)
        return
    level = logging.getLevelNamesMapping().get(str(told.get("level", "info")).upper(), logging.INFO)
    name = str(told.get("logger", ""))
    logger = logging.getLogger(name) if name.startswith("hyeopjin.") else to
    more = "".join(f" {key}={value}" for key, value in told.items() if key not in _OURS)
    logger.log(level, "%s%s", told["event"], more)


def _parsed(text: str) -> dict[str, object] | None:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and "event" in told else None
