"""Telephone numbers in international form (ITU-T E.164: a plus, 15 digits at most), as people write them."""

from __future__ import annotations

import re

_FORM = re.compile(r"\+[0-9](?:[ \-()]?[0-9]){5,14}\)?")
MAX_LENGTH = 32


def telephone(text: str) -> str:
    """The number as it is kept and shown. Raises ValueError for what nobody abroad could dial."""
    number = " ".join(text.split())
    if len(number) > MAX_LENGTH or not _FORM.fullmatch(number):
        raise ValueError("a telephone number begins with + and the country's code, like +82 2 000 0000")
    return number
