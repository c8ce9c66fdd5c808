"""Strict reading of a control message's fields: each is what it should be, or the message is refused with a
code.

Knows JSON values only. Never coerces, and never repeats what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CONNECTION = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
GRANT = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class ControlRefusedError(Exception):
    """A message that the channel refuses. `code` is stable; the text never repeats what was sent."""

    def __init__(self, code: str, request_id: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.request_id = request_id


def mapping(value: object, code: str) -> dict[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise ControlRefusedError(code)
    return value


def only(message: Mapping[str, Any], known: set[str], code: str = "bad_message") -> None:
    """Nothing but these names."""
    if not message.keys() <= known:
        raise ControlRefusedError(code)


def text(value: object, pattern: re.Pattern[str], code: str = "bad_message") -> str:
    """A text of this form."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ControlRefusedError(code)
    return value


def count(value: object, least: int, code: str) -> int:
    """A whole number, not less than `least`."""
    if type(value) is not int or not least <= value < 1 << 53:
        raise ControlRefusedError(code)
    return value


def flag(value: object, code: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ControlRefusedError(code)
    return value
