"""The media processes' log: one JSON object a line on stderr, which the server gives its own form.

It must not let through what an exception says or what libraries log: an exception becomes its type names and
places, and libraries are heard from WARNING up, since their lines carry SDP and addresses.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog


def set_up_logging(level: str) -> None:
    """`level` is a logging level's name; it holds for `hyeopjin.…`. Uncaught exceptions get a line too."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_exception_text,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    ours = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, ours))
    logging.getLogger("hyeopjin").setLevel(ours)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _uncaught


def without_exception_text(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replaces `exc_info` by `error` (type names of the chain) and `at` (innermost frames)."""
    info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if error is not None:
        names: list[str] = []
        link: BaseException | None = error
        while link is not None and len(names) < 6:
            names.append(type(link).__name__)
            link = link.__cause__ or link.__context__
        event["error"] = " < ".join(names)
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        event["at"] = [f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno} {f.name}" for f in frames]
    record = event.get("_record")
    if record is not None:  # otherwise the standard formatter would print the text after our line
        record.exc_info = record.exc_text = record.stack_info = None
    return event


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logging.getLogger("hyeopjin.media").critical("ended by an exception", exc_info=(kind, error, trace))
