"""Compares, track by track, what has arrived here with what the store has acknowledged. Pure.

It must not ask anybody what they intend: it is given arrivals by the relay and acknowledgements by the store,
so that a packet lost anywhere between the two is seen, whoever lost it. Time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

BEHIND_NS = 3_000_000_000
"""A packet that has been here for so long and is not on disk is an alarm."""
MOST_WAITING = 64
QUIET_NS = 10_000_000_000
"""A layer that the browser gave up never proves by a later packet that it is stored again: what it lost lies
in the past then, and is the index's to name. A store that stands still is the recorder's own alarm."""

Track = tuple[str, str, str]
"""Peer, kind, rid: each layer is a track of its own."""


class Comparison:
    """Call `behind` about twice a second: it keeps the arrivals it is shown until the store has them."""

    def __init__(self) -> None:
        self._waiting: dict[Track, deque[int]] = {}

    def behind(
        self, now_ns: int, arrived: Mapping[Track, int], stored: Mapping[Track, int]
    ) -> list[tuple[str, str]]:
        """(peer, kind) of the tracks with a packet older than BEHIND_NS that is not acknowledged.

        `arrived`: when the newest packet of each track came that ought to be stored (0 = none yet); a track
        that is not in it is forgotten. `stored`: up to which arrival the store has each. All boottime ns.
        """
        for track in self._waiting.keys() - arrived.keys():
            del self._waiting[track]
        found: dict[tuple[str, str], None] = {}
        for track, newest_ns in arrived.items():
            waiting = self._waiting.setdefault(track, deque())
            if now_ns - newest_ns >= QUIET_NS:
                waiting.clear()
                continue
            if newest_ns and (not waiting or newest_ns > waiting[-1]):
                if len(waiting) >= MOST_WAITING:
                    waiting.pop()
                waiting.append(newest_ns)
            acknowledged_ns = stored.get(track, 0)
            while waiting and waiting[0] <= acknowledged_ns:
                waiting.popleft()
            if waiting and now_ns - waiting[0] >= BEHIND_NS:
                found[track[:2]] = None
        return list(found)
