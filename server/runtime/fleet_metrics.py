"""The workers' numbers for /metrics: each worker's own under `hyeopjin_worker_…`, and all together.

Sums fall when a worker dies, so what hangs on growth (alerts) asks for the numbers with the label.
"""

from __future__ import annotations

from collections.abc import Mapping

from server.runtime.fleet import Fleet
from server.runtime.media_link import MediaLink
from server.runtime.workers import LocalWorkers

Labelled = dict[str, dict[str, float]]
"""Metric name -> worker's place -> value."""

_MOST = ("loop_lag", "rss_peak", "cpu_us", "recording_lag_ms")
_LEAST = ("downlink_lowest_bps", "recording_accepting")


def metric_name(name: str, prefix: str) -> str:
    """`recording_…` have a family of their own: alerts hang on them."""
    return f"hyeopjin_{name}" if name.startswith("recording_") else f"hyeopjin_{prefix}_{name}"


def living(fleet: Fleet, workers: LocalWorkers) -> list[MediaLink]:
    """Links to those of our own workers that answer."""
    links = [fleet.links.get(place.worker or "") for place in workers.places()]
    return [link for link in links if link is not None and link.connected]


async def totals(fleet: Fleet, workers: LocalWorkers) -> dict[str, float]:
    """Our own workers together; of lags the worst, of what only the least says, the least."""
    await fleet.measure()
    links = living(fleet, workers)
    found = {
        "hyeopjin_media_worker_up": float(fleet.ready),
        "hyeopjin_media_workers_wanted": float(workers.wanted),
        "hyeopjin_media_workers_living": float(len(links)),
        "hyeopjin_media_worker_starts": float(workers.starts),
        "hyeopjin_media_refused_no_capacity": float(fleet.refused),
        "hyeopjin_media_events_dropped": float(
            fleet.events_dropped + sum(link.waiting.dropped for link in links)
        ),
    }
    told: dict[str, list[float]] = {}
    for load in (fleet.loads[link.at.id] for link in links):
        for name, value in load.raw.items():
            told.setdefault(name, []).append(value)
    return found | {metric_name(name, "media"): _together(name, values) for name, values in told.items()}


def _together(name: str, values: list[float]) -> float:
    if name.startswith(_MOST):
        return max(values)
    if name.startswith(_LEAST):
        return min(values)
    return sum(values)


async def by_worker(fleet: Fleet, workers: LocalWorkers) -> Labelled:
    """Each place's numbers; `up` 0 and nothing else while its worker is away."""
    found: Labelled = {}

    def tell(name: str, place: str, value: float) -> None:
        found.setdefault(f"hyeopjin_worker_{name}", {})[place] = value

    for place in workers.places():
        link = None if place.worker is None else fleet.links.get(place.worker)
        tell("up", place.name, float(link is not None and link.connected))
        tell("starts", place.name, float(place.starts))
        if link is None:
            continue
        load = fleet.loads[link.at.id]
        own: Mapping[str, float] = {
            **load.raw,
            "cpu_share": load.cpu,
            "packets_per_second": load.packets,
            "cpu_us_per_packet": load.cpu_us_per_packet,
            "load": load.share(fleet.limits),
            "takes_rooms": float(load.takes_room(fleet.limits) and not link.draining),
            "events_waiting": float(len(link.waiting)),
            "events_dropped": float(link.waiting.dropped),
        }
        for name, value in own.items():
            tell(name, place.name, value)
    return found
