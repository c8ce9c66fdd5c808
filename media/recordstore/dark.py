"""When a person's line was dark: nothing came over it, and nobody had said goodbye.

By what media told of their connections: `disconnected` or `failed` (nothing came for some seconds), `lost`
(the seat was given up for it), until one is `connected` again. Who leaves while nothing comes, or whose page
closed its connection, has left. Pure; must not see a packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .index import Event
from .tail import BACK

SILENT = frozenset({"disconnected", "failed", "lost"})
PARTED = frozenset({"left", "closed"})
FOR_GOOD = 1 << 62

Span = tuple[int, int]


def dark_spans(events: Iterable[Event], peer: str) -> list[Span]:
    """[from, to) in ns since the session's start, in order; `to` is FOR_GOOD if the line never came back."""
    spans: list[Span] = []
    since: int | None = None
    parted = False
    told = (event for event in events if event.peer == peer)
    for event in sorted(told, key=lambda event: event.at):
        if event.name in SILENT and not parted:
            since = event.at if since is None else since
        elif event.name in PARTED:
            since, parted = None, True
        elif event.name in BACK:
            parted = False
            if event.name == "connected" and since is not None:
                spans.append((since, event.at))
                since = None
    return spans if since is None else [*spans, (since, FOR_GOOD)]


def is_dark(spans: Sequence[Span], begin: int, end: int) -> bool:
    """Whether the line was dark at any time between."""
    return any(low < end and high > begin for low, high in spans)
