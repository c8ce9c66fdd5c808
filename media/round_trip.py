"""The least round trip of a connection, as it has shown itself so far: half of it is the way from the page.

Told by the page's answers to our ICE checks (RFC 8445) and by its reports on what it gets from us (LSR and
DLSR, RFC 3550 6.4.1). It must not ask for anything itself.
"""

from __future__ import annotations

MOST_NS = 2_000_000_000
"""A round trip that never was less than this is a mistake, or made up."""


class RoundTrip:
    """`least_ns`: 0 while nothing was heard."""

    __slots__ = ("least_ns",)

    def __init__(self) -> None:
        self.least_ns = 0

    def heard(self, ns: int) -> None:
        """One measurement; nonsense is passed over."""
        if 0 < ns <= MOST_NS and (not self.least_ns or ns < self.least_ns):
            self.least_ns = ns


def least(*found_ns: int) -> int:
    """The least of those that are known; 0 for none."""
    return min((ns for ns in found_ns if ns), default=0)
