"""A delivery of sound. What was said while it was shut is in none of its packets, redundant ones included.

After it has opened it is given plain Opus for a while: a redundant packet repeats what was said before it.
"""

from __future__ import annotations

from collections.abc import Callable

from media.ports import Delivery, SessionPort
from media.subscription import Subscription
from media.tracks import SourceStream

BARE_NS = 500_000_000
"""Redundancy is of the last few packets; so much later none of what was said before is in it."""


class SoundSubscription(Subscription):
    """A Subscription of a microphone."""

    __slots__ = ("_bare", "_opened_ns")

    def __init__(
        self, session: SessionPort, delivery: Delivery, *, ask: Callable[[SourceStream], None]
    ) -> None:
        super().__init__(session, delivery, video=False, ask=ask)
        self._bare = False
        self._opened_ns = 0

    def shut(self) -> None:
        super().shut()
        self._bare, self._opened_ns = True, 0
        self.red = False

    def accept(self, delivery: Delivery) -> None:
        if self._bare:
            self.delivery = delivery
        else:
            super().accept(delivery)

    def refresh_report(self, now_ns: int) -> None:
        """Once a second; see the module."""
        super().refresh_report(now_ns)
        if not self._bare or self.stream is None:
            return
        if not self._opened_ns:
            self._opened_ns = now_ns
        elif now_ns - self._opened_ns >= BARE_NS:
            self._bare = False
            if self.delivery.red:
                self._go_on_with_red()

    def _go_on_with_red(self) -> None:
        """The same numbers, but what was sent plain is not sent again: it would be other bytes of the same
        number."""
        self.forget_sent()
        self._first = self.last + 1
        self.red = True
        self._apart()
