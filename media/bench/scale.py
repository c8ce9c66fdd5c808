"""Many rooms on several workers, each with a generator of its own, and people who join meanwhile.

Says how much of a core each worker took, what was lost apart from what the generators dropped themselves, and
how long packets were under way. Loopback only; latency means something on a machine with cores to spare.
"""

from __future__ import annotations

import asyncio
import statistics
from typing import Any

from media.bench.report import measure


async def scale(
    rooms: int, workers: int, seconds: float, times: int, joins: int = 0, native: bool = True
) -> dict[str, Any]:
    """Medians of so many runs; raises BenchFailedError."""
    runs = [await _once(rooms, workers, seconds, joins, native) for _ in range(times)]
    shares = [run["lost"] / max(1, 2 * run["packets_in"]) for run in runs]
    return {
        "rooms": rooms,
        "workers": workers,
        "seconds": seconds,
        "joins": joins,
        "worker_cpu_percent": statistics.median(run["cpu"] for run in runs),
        "us_per_forwarded_packet": statistics.median(run["us"] for run in runs),
        "lost_percent": round(100 * statistics.median(shares), 4),
        "lost": [run["lost"] for run in runs],
        "p99_ms": statistics.median(run["p99"] for run in runs),
        "p99_ms_all": [run["p99"] for run in runs],
        "generator_late_ms_p99": [run["late"] for run in runs],
        "generator_skipped": [run["skipped"] for run in runs],
        "packets_in": [run["packets_in"] for run in runs],
        "joined": [run["joined"] for run in runs],
        "rss_mb": statistics.median(run["rss"] for run in runs),
    }


async def _once(rooms: int, workers: int, seconds: float, joins: int, native: bool) -> dict[str, Any]:
    shares = [rooms // workers + (n < rooms % workers) for n in range(workers)]
    newcomers = [joins // workers + (n < joins % workers) for n in range(workers)]
    found = await asyncio.gather(
        *(measure(share, seconds, native=native, joins=n) for share, n in zip(shares, newcomers, strict=True))
    )
    generators = [figures["generator"] for figures in found]
    return {
        "cpu": max(figures["worker_cpu_percent"] for figures in found),
        "us": round(statistics.mean(figures["cpu_us_per_forwarded_packet"] for figures in found), 2),
        "lost": sum(f["lost"] - g["dropped"] for f, g in zip(found, generators, strict=True)),
        "packets_in": sum(figures["packets_in"] for figures in found),
        "p99": max(figures["latency_ms"]["p99"] for figures in found),
        "late": max(generator["late_ms_p99"] for generator in generators),
        "skipped": sum(generator["skipped"] for generator in generators),
        "joined": sum(figures["joined"] for figures in found),
        "rss": sum(figures["rss_mb"] for figures in found),
    }
