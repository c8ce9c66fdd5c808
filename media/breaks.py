"""Whether the way to or from somebody is broken just now: nothing at all comes, not even a voice's silence.

What is reported during a break and shortly after it tells of the break, not of what a line carries. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from media.endpoint import Endpoint

BROKEN_NS, GONE_NS = 700_000_000, 10_000_000_000
"""Who sends nothing for the first has a broken way; after the second, nothing to send, until it returns."""
SETTLE_NS = 3_000_000_000


class Breaks:
    """Of one receiver: its own way, and those of whom it is sent."""

    __slots__ = ("_own_ns", "_seen_ns", "_silent", "own")

    def __init__(self) -> None:
        self._seen_ns = self._own_ns = -2 * SETTLE_NS
        self._silent: set[str] = set()
        self.own = False
        """The receiver's own way is broken."""

    def look(self, receiver: Endpoint, silences: Mapping[str, int], now_ns: int) -> bool:
        """Several times a second; `silences` of the whole room, see `silence_ns`. True when the receiver's
        own way has just come back."""
        everybody = {receiver.peer, *(source for source, _ in receiver.subscriptions)}
        silent = {peer for peer in everybody if silences.get(peer, 0) > BROKEN_NS}
        returned = self._silent - silent
        if returned or any(silences[peer] < GONE_NS for peer in silent):
            self._seen_ns = now_ns
        self._silent = silent
        before, self.own = self.own, receiver.peer in silent
        if before or self.own:
            self._own_ns = now_ns
        return before and not self.own

    @property
    def open(self) -> bool:
        """Whether somebody was silent at the last look."""
        return bool(self._silent)

    def settled(self, now_ns: int) -> bool:
        """Whether reports are of the line as it is."""
        return now_ns - self._seen_ns > SETTLE_NS

    def own_settled(self, now_ns: int) -> bool:
        """The same of the receiver's own way alone, however long it has been broken."""
        return now_ns - self._own_ns > SETTLE_NS


def silence_ns(endpoint: Endpoint, now_ns: int) -> int:
    """0 of who has never sent anything."""
    newest = max((one.last_packet_ns for one in endpoint.publications.values()), default=0)
    return now_ns - newest if newest else 0
