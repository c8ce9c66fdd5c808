"""Whether the way to or from somebody is broken just now: nothing at all comes, not even a voice's silence.

What is reported during a break and shortly after it tells of the break, not of what a line carries. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from media.endpoint import Endpoint

BROKEN_NS, GONE_NS = 700_000_000, 10_000_000_000
"""Who sends nothing for the first has a broken way; after the second, nothing to send."""
SETTLE_NS = 3_000_000_000


class Breaks:
    """Of one receiver: its own way, and those of whom it is sent."""

    __slots__ = ("_seen_ns",)

    def __init__(self) -> None:
        self._seen_ns = -2 * SETTLE_NS

    def look(self, receiver: Endpoint, endpoints: Mapping[str, Endpoint], now_ns: int) -> None:
        """Several times a second."""
        sources = {source for source, _ in receiver.subscriptions}
        everybody = (receiver, *(endpoints[one] for one in sources if one in endpoints))
        if any(_silent(endpoint, now_ns) for endpoint in everybody):
            self._seen_ns = now_ns

    def settled(self, now_ns: int) -> bool:
        """Whether reports are of the line as it is."""
        return now_ns - self._seen_ns > SETTLE_NS


def _silent(endpoint: Endpoint, now_ns: int) -> bool:
    heard: Iterable[int] = (one.last_packet_ns for one in endpoint.publications.values())
    newest = max(heard, default=0)
    return bool(newest) and BROKEN_NS < now_ns - newest < GONE_NS
