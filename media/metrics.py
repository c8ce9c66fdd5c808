"""Counters of one worker: plain integers that only grow, summed over all rooms it ever had, and its loop's
lag."""

from __future__ import annotations

import resource


class Counters:
    """Incremented on the packet path by name; no labels, so nothing of a room or a person is in them."""

    __slots__ = (
        "keyframe_requests",
        "nacks_sent",
        "packets_dropped",
        "packets_forwarded",
        "packets_in",
        "packets_recorded",
        "packets_recovered",
        "packets_resent",
        "packets_unknown",
        "room_failures",
        "rtcp_in",
    )

    keyframe_requests: int
    nacks_sent: int
    packets_dropped: int
    packets_forwarded: int
    packets_in: int
    packets_recorded: int
    packets_recovered: int
    packets_resent: int
    packets_unknown: int
    room_failures: int
    rtcp_in: int

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


class LoopLag:
    """How late the event loop runs what is due: the largest since asked, in ms, and a smoothed value."""

    def __init__(self) -> None:
        self._worst_ms = 0.0
        self._smooth_ms = 0.0

    def note(self, late_s: float) -> None:
        late_ms = max(0.0, late_s * 1000)
        self._worst_ms = max(self._worst_ms, late_ms)
        self._smooth_ms += (late_ms - self._smooth_ms) / 16

    def take(self) -> dict[str, float]:
        """The values; the worst starts anew."""
        worst, self._worst_ms = self._worst_ms, 0.0
        return {"loop_lag_worst_ms": round(worst, 3), "loop_lag_ms": round(self._smooth_ms, 3)}


def process_usage() -> dict[str, float]:
    """CPU seconds (user and system) and the peak resident size of this process in MB."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "rss_peak_mb": round(usage.ru_maxrss / 1024, 1),
    }
