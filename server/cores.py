"""How many cores are ours: what the scheduler lets us use, and what a container's quota leaves of it.

A container with `--cpus=2` on a machine of 64 sees 64 in `os.cpu_count()`. It must not look at anything else.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def cores(cgroups: Path = CGROUPS) -> int:
    """At least 1."""
    return max(1, min(len(os.sched_getaffinity(0)), _quota(cgroups)))


def _quota(cgroups: Path) -> int:
    """Whole cores of `cpu.max` (cgroup v2: "200000 100000", or "max 100000"), or more than there can be."""
    try:
        allowed, period = (cgroups / "cpu.max").read_text().split()
        return math.ceil(int(allowed) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return 1 << 20
