"""Logging: structlog over the standard library, one line per event, console or JSON.

It must not let through what people said or are: an exception is logged by type and place, without its text
and without local variables, at every level. Names beginning `hyeopjin.` are ours; libraries are held at
WARNING even when we log at DEBUG: their lines carry messages, SDP and SQL.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

QUIET = (
    "aiohttp.access",
    "aiohttp.server",
    "aiosqlite",
    "alembic",
    "asyncio",
    "engineio",
    "engineio.server",
    "socketio",
    "socketio.server",
    "sqlalchemy",
    "sqlalchemy.engine",
    "aiortc",
    "aioice",
    "PIL",
)


def configure_logging(level: str, log_format: str) -> None:
    """Sets the root logger up; calling it again replaces what was there."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_exception_text,
    ]
    render: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    ours = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(logging.WARNING, ours))
    logging.getLogger("hyeopjin").setLevel(ours)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def without_exception_text(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replaces `exc_info` by `error` (type names of the chain) and `at` (file:line, innermost frames)."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if error is not None:
        event["error"], event["at"] = describe(error)
    record = event.get("_record")
    if record is not None:
        # Otherwise the standard formatter would print the text after our line.
        record.exc_info = record.exc_text = record.stack_info = None
    return event


def describe(error: BaseException) -> tuple[str, list[str]]:
    """Type names from the outermost to the first cause, and where the outermost was raised."""
    names: list[str] = []
    link: BaseException | None = error
    while link is not None and len(names) < 6:
        names.append(type(link).__name__)
        link = link.__cause__ or link.__context__
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " < ".join(names), [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-2:])
