"""How long a connection's packets are on their way at least: half of its least round trip, as it was told.

The lines of media/finalise_time.py end at the server's clock, which everything reaches later by that much:
by 20 ms from next door, by 150 from another continent. Must not know streams' packets.
"""

from __future__ import annotations

from collections.abc import Sequence

from .finalise_time import Connection
from .recordstore.index import Event
from .recordstore.streams import PAUSE_NS
from .round_trip import MOST_NS

ROUND_TRIP = "round_trip"
"""The event: {us: the connection's least round trip so far, in microseconds}."""


def ways_ns(groups: Sequence[Connection], events: Sequence[Event]) -> list[int]:
    """For each of a peer's connections within one epoch, in order of time: the least one-way delay in ns.

    `events` are the peer's of that epoch. A connection that told none goes by the one before it, mostly the
    same person on the same line; 0 where nobody ever told.
    """
    told = sorted((e.at, ns) for e in events if e.name == ROUND_TRIP and (ns := _ns(e)))
    begins = [_begin(group, events) for group in groups]
    ways: list[int] = []
    for n, begin in enumerate(begins):
        end = min((later for later in begins[n + 1 :] if later > begin), default=1 << 62)
        own = [ns for at, ns in told if (begin <= at or n == 0) and at < end]
        ways.append(min(own) // 2 if own else (ways[-1] if ways else 0))
    return ways


def _begin(group: Connection, events: Sequence[Event]) -> int:
    """When the connection came to be: what was told of it comes after that, maybe before its first packet."""
    first = min(stream.first_at for stream in group.streams)
    cuts = [e.at for e in events if e.name in ("joined", "connected") and e.at <= first + PAUSE_NS]
    return max(cuts, default=first)


def _ns(event: Event) -> int:
    us = event.fields.get("us")
    return us * 1000 if isinstance(us, int) and 0 < us * 1000 <= MOST_NS else 0
