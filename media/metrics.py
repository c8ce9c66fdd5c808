"""Counters of one worker: plain integers that only grow, summed over all rooms it ever had, and its loop's
lag."""

from __future__ import annotations

import resource
import socket
import sys
from collections import deque
from collections.abc import Iterable


class Counters:
    """Incremented on the packet path by name; no labels, so nothing of a room or a person is in them."""

    __slots__ = (
        "keyframe_requests",
        "nacks_sent",
        "packets_dropped",
        "packets_forwarded",
        "packets_in",
        "packets_lost",
        "packets_rebuilt",
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
    packets_lost: int
    packets_rebuilt: int
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


LAG_SAMPLES = 128
"""Of ten a second: about the last thirteen seconds."""


class LoopLag:
    """How late the event loop runs what is due, in ms: a smoothed value, and the worst and p99 of late.

    Reading changes nothing: several ask.
    """

    def __init__(self) -> None:
        self._late_ms: deque[float] = deque(maxlen=LAG_SAMPLES)
        self._smooth_ms = 0.0

    def note(self, late_s: float) -> None:
        late_ms = max(0.0, late_s * 1000)
        self._late_ms.append(late_ms)
        self._smooth_ms += (late_ms - self._smooth_ms) / 16

    def values(self) -> dict[str, float]:
        late = sorted(self._late_ms)
        p99 = late[len(late) * 99 // 100 - (len(late) > 1)] if late else 0.0
        return {
            "loop_lag_worst_ms": round(late[-1], 3) if late else 0.0,
            "loop_lag_p99_ms": round(p99, 3),
            "loop_lag_ms": round(self._smooth_ms, 3),
        }


SO_MEMINFO = 55  # asm-generic/socket.h
_DROPS = 8  # linux/sock_diag.h, SK_MEMINFO_DROPS


def kernel_drops(sockets: Iterable[socket.socket]) -> int:
    """Datagrams that the kernel dropped because we did not read in time; 0 where it does not tell."""
    dropped = 0
    for one in sockets:
        try:
            told = one.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (_DROPS + 1))
        except OSError:
            continue
        if len(told) == 4 * (_DROPS + 1):
            dropped += int.from_bytes(told[-4:], sys.byteorder)
    return dropped


def process_usage() -> dict[str, float]:
    """CPU seconds (user and system) and the peak resident size of this process in MB."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "rss_peak_mb": round(usage.ru_maxrss / 1024, 1),
    }
