"""Sound sent twice to a subscriber that takes no redundancy and whose line loses it (Firefox).

It neither takes RED nor says what it misses, but it drops what comes twice (SRTP's replay check) before it is
heard: each packet goes out again with the one after it, the very same bytes (AES-GCM allows nothing else).
Stands in the subscription's place among a stream's listeners; no other listener's packets meet it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from media.fan import Way
    from media.subscription import Subscription
    from media.tracks import SourceStream

LOSSY = 5
"""Of 256, as receiver reports count: 2 %."""
REMEMBERED_NS = 60_000_000_000
"""While packets come twice, reports say nothing of the loss: it is looked at anew after so long."""


class Listener(Protocol):
    """Who is given a stream's packets."""

    @property
    def red(self) -> bool: ...

    def way(self, stream: SourceStream) -> tuple[Subscription, Way] | None: ...

    def deliver(
        self, stream: SourceStream, packet: bytes, number: int, timestamp: int, key: bool, at_ns: int
    ) -> None: ...

    def sender_report(self, stream: SourceStream, at_ns: int) -> None: ...


class Repeater:
    """See the module."""

    __slots__ = ("_subscription", "until_ns")

    red = False

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self.until_ns = 0

    def way(self, stream: SourceStream) -> tuple[Subscription, Way] | None:
        """Each packet is followed by another one: there is no short way."""
        return None

    def deliver(
        self, stream: SourceStream, packet: bytes, number: int, timestamp: int, key: bool, at_ns: int
    ) -> None:
        self._subscription.deliver(stream, packet, number, timestamp, key, at_ns)
        if number == stream.sequence.highest:
            self._subscription.repeat(number - 1, at_ns)

    def sender_report(self, stream: SourceStream, at_ns: int) -> None:
        self._subscription.sender_report(stream, at_ns)


class Repeaters:
    """Those of one publication."""

    def __init__(self) -> None:
        self._known: dict[Subscription, Repeater] = {}
        self._reported: dict[Subscription, tuple[int, int]] = {}

    def of(self, subscription: Subscription) -> Listener:
        """Who is to be given packets in its place: itself, mostly."""
        return self._known.get(subscription, subscription)

    def look(self, subscriptions: tuple[Subscription, ...], now_ns: int) -> bool:
        """Once a second: who needs one by now. True when that has changed."""
        before = set(self._known)
        reported = self._reported
        self._reported = {subscription: subscription.reported for subscription in subscriptions}
        for subscription in subscriptions:
            fresh = reported.get(subscription, (0, 0)) != subscription.reported
            if fresh and subscription.fraction_lost >= LOSSY:
                repeater = self._known.setdefault(subscription, Repeater(subscription))
                repeater.until_ns = now_ns + REMEMBERED_NS
        self._known = {
            one: repeater
            for one, repeater in self._known.items()
            if one in subscriptions and not one.red and now_ns < repeater.until_ns
        }
        return before != set(self._known)
