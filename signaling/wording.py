"""What people write to each other, as it is kept and shown: text, whatever it looks like. Pure.

Must not: know who writes, nor to whom.
"""

from __future__ import annotations

import unicodedata
from typing import Final

#: Characters that turn the order of what follows: a name beside it could be read as another's.
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
#: Letters and signs that look like nothing: Hangul fillers and the Braille cell without a dot.
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
#: Controls, joiners, spaces, and marks without a letter to stand on.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Me", "Mn", "Zl", "Zp", "Zs"})


def cleaned(text: str) -> str:
    """Composed, without control characters but the line's end; empty when nothing of it can be seen."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(
        sign
        for sign in composed
        if sign == "\n" or (unicodedata.category(sign) not in ("Cc", "Cs") and sign not in _TURNS)
    ).strip()
    return kept if any(_seen(sign) for sign in kept) else ""


def _seen(sign: str) -> bool:
    return sign not in _BLANK and unicodedata.category(sign) not in _UNSEEN
