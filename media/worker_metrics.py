"""What a worker tells of its bounded queues and of its journal, for /metrics: numbers, no names."""

from __future__ import annotations

from collections.abc import Sequence

from media.control_server import ControlServer
from media.ice.hub import IceHub
from media.metrics import kernel_drops
from media.recordstore.space import SpaceGate
from media.recordstore.store import QUEUE_LIMIT, StoreWriter
from media.room import Room


def queue_metrics(hub: IceHub | None, store: StoreWriter, control: ControlServer) -> dict[str, float]:
    """What the bounded queues had to drop; `queue_dropped` is all of it together."""
    kernel = kernel_drops(hub.sockets) if hub else 0
    full = sum(hub.counters[name] for name in ("send_failed", "tcp_full")) if hub else 0
    return {
        "queue_dropped": kernel + full + store.stats.lost_packets + control.cut,
        "queue_dropped_kernel": kernel,
        "queue_dropped_send": full,
        "control_cut": control.cut,
    }


def recording_metrics(rooms: Sequence[Room], gate: SpaceGate, store: StoreWriter) -> dict[str, float]:
    """Under names of their own, `recording_…`: alerts hang on them."""
    stats = store.stats
    return {
        "recording_degraded_tracks": sum(room.degraded for room in rooms),
        "recording_lag_ms": max((room.journal_lag_ms for room in rooms), default=0),
        "recording_accepting": int(gate.open),
        "recording_queued_bytes": store.queued_bytes,
        "recording_queue_limit_bytes": QUEUE_LIMIT,
        "recording_written_bytes": stats.written_bytes,
        "recording_lost_packets": stats.lost_packets,
        "recording_no_space_errors": stats.no_space,
        "recording_read_only_errors": stats.read_only,
        "recording_io_errors": stats.io_error,
    }
