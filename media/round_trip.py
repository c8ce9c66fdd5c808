"""The round trip of a connection: the least so far (half of it is the way from the page), and what it is now.

Told by the page's answers to our ICE checks (RFC 8445) and by its reports on what it gets from us (LSR and
DLSR, RFC 3550 6.4.1). It must not ask for anything itself.
"""

from __future__ import annotations

from media.rtp.rtcp import ReportBlock

NS = 1_000_000_000
REMEMBERED_REPORTS = 8
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


class SentReports:
    """When the last sender reports of one delivery went out: its receiver's reports name them."""

    __slots__ = ("_sent", "newest_ns")

    def __init__(self) -> None:
        self._sent: dict[int, int] = {}
        self.newest_ns = 0

    def note(self, ntp: int, at_ns: int) -> None:
        """One with this 64-bit NTP time goes out."""
        self.newest_ns = at_ns
        self._sent[ntp >> 16 & 0xFFFFFFFF] = at_ns
        while len(self._sent) > REMEMBERED_REPORTS:
            del self._sent[next(iter(self._sent))]

    def move(self, noted_ns: int, at_ns: int) -> None:
        """What was noted as sent then went out now."""
        self._sent = {lsr: at_ns if sent == noted_ns else sent for lsr, sent in self._sent.items()}

    def took_ns(self, block: ReportBlock, now_ns: int) -> int | None:
        """The round trip that a receiver's report tells (RFC 3550 6.4.1); None when it tells none. Once for
        each of ours: while a picture is paused the last one is named in report after report, and tells of a
        queue that is long gone."""
        sent_ns = self._sent.pop(block.lsr, None) if block.lsr else None
        return None if sent_ns is None else now_ns - sent_ns - block.dlsr * NS // 65536
