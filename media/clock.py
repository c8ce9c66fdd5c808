"""Clocks: the machine's, as the recorder reads them, and a sender report's.

Must not know of streams or files; media/regression.py lays lines through what is read here.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Protocol

NS = 1_000_000_000
MS = 1_000_000
NTP_UNIX_S = 2_208_988_800
"""Seconds from 1900 (NTP, RFC 5905) to 1970 (Unix)."""


class Clock(Protocol):
    """What the recorder needs to know about time."""

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME in ns: goes on through suspend, never steps."""

    def wall_ns(self) -> int:
        """Unix time in ns: may step."""

    @property
    def boot_id(self) -> bytes:
        """16 bytes that name this boot of the machine."""


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._boot_id = read_boot_id()

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME in ns."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        """Unix time in ns."""
        return time.time_ns()

    @property
    def boot_id(self) -> bytes:
        """The kernel's random boot id."""
        return self._boot_id


def read_boot_id() -> bytes:
    """/proc's boot id as 16 bytes; a random one, new for the process, where there is none."""
    try:
        return uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text().strip()).bytes
    except (OSError, ValueError):
        return uuid.uuid4().bytes


def ntp_to_ns(ntp: int) -> int:
    """64-bit NTP (32.32 fixed point, since 1900) to ns since 1970. A sender's clock may be far off; that
    is fine.
    """
    return (ntp >> 32) * NS + ((ntp & 0xFFFFFFFF) * NS >> 32) - NTP_UNIX_S * NS
