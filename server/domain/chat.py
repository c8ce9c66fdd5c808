"""A consultation's chat: what a line may be. Text, whatever it looks like; it knows nobody."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

MAX_CHARS = 2000
MAX_MESSAGES = 2000
"""Of one consultation: nobody reads more, and a page fetches them all."""

#: Characters that turn the order of what follows: a name beside it could be read as another's.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """`client_id`: the page's own; with the seat it is said once. `session_id` None: before any session.

    `hidden_from`: seats that had stepped out, or were to wait, when it was said: they never read it.
    """

    id: str
    consultation_id: str
    session_id: str | None
    seat_id: str
    client_id: str
    text: str = field(repr=False)
    at_ms: int
    hidden_from: frozenset[str] = frozenset()


def clean_text(text: str) -> str:
    """As it is kept: composed, without control characters but the line's end; empty when nothing is left."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (
        sign
        for sign in composed
        if sign == "\n" or (unicodedata.category(sign) not in ("Cc", "Cs") and sign not in _TURNS)
    )
    return "".join(kept).strip()[:MAX_CHARS]
