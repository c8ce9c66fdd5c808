"""The round trip of a connection: the least so far (half of it is the way from the page), and what it is now.

Told by the page's answers to our ICE checks (RFC 8445) and by its reports on what it gets from us (LSR and
DLSR, RFC 3550 6.4.1). It must not ask for anything itself.
"""

from __future__ import annotations

MOST_NS = 2_000_000_000
"""A round trip that never was less than this is a mistake, or made up."""


class RoundTrip:
    """`least_ns` so far, `smooth_ns` of late: 0 while nothing was heard."""

    __slots__ = ("least_ns", "smooth_ns")

    def __init__(self) -> None:
        self.least_ns = self.smooth_ns = 0

    def heard(self, ns: int) -> None:
        """One measurement; nonsense is passed over."""
        if 0 < ns <= MOST_NS:
            self.least_ns = min(ns, self.least_ns or ns)
            self.smooth_ns += (ns - self.smooth_ns) // 4 if self.smooth_ns else ns


def least(*found_ns: int) -> int:
    """The least of those that are known; 0 for none."""
    return min((ns for ns in found_ns if ns), default=0)
