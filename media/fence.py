"""The worker's right to act: until when (CLOCK_BOOTTIME) its leases hold. Past that it moves nothing.

A worker that was stopped, or slept with its machine, wakes here: others may long have taken its rooms over.
Its packet drain, its writer and its ticks ask at every wake-up; the clock goes on through a sleep, so nothing
needs to be told. Without leases (one server, no Redis) the fence is open for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

OPEN_NS = 1 << 62
"""Later than any clock."""
MS = 1_000_000


@dataclass(slots=True)
class Fence:
    """One for a worker; read by its loop and by its writer's thread."""

    deadline_ns: int = OPEN_NS
    datagrams: int = 0
    """Dropped unread since the start, because the fence was shut."""
    packets: int = 0
    """Not stored, for the same reason."""
    shuts: int = 0
    """How often an extension came too late."""

    def shut(self, now_ns: int) -> bool:
        """Whether nothing may be forwarded or stored now."""
        return now_ns > self.deadline_ns

    def extend(self, deadline_ms: int, now_ns: int) -> bool:
        """Holds until `deadline_ms` of CLOCK_BOOTTIME; returns whether it was shut before."""
        was = self.shut(now_ns)
        self.shuts += was
        if deadline_ms:
            self.deadline_ns = deadline_ms * MS
        return was


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """The leases hold until then (CLOCK_BOOTTIME, ms; taken before their renewal was sent). 0: tell only."""

    id: int
    deadline_ms: int
