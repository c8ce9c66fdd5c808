"""A consultation's chat: how long a line and the whole may be, and what a line is. It knows nobody."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_CHARS = 2000
MAX_MESSAGES = 2000
"""Of one consultation: nobody reads more, and a page fetches them all."""


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
