"""What a sender sent held against what a journal holds: which counters are there, what each kill has cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media.bench.traffic import KINDS, read_stamp
from media.recordstore import layout
from media.recordstore.index import Journal
from media.rtp.packets import payload_offset
from server.runtime.keystore import ROOM, KeyStore
from tests.support.headless import HeadlessPage

NS = 1_000_000_000
SLACK_MS = 60
"""A packet is on its way for a while."""


def stored_counters(data: Path, recording: str) -> dict[tuple[str, str], list[int]]:
    """(seat, kind) -> the counters of all packets in the journal, in the journal's order. Every payload must
    be the very one that was sent (its own checksum says so).
    """
    keys = KeyStore.open(data, create=False).keys(recording)
    room_key = keys.pop(ROOM)
    epochs = layout.epochs_of(data / "journal", recording)
    found: dict[tuple[str, str], list[int]] = {}
    with Journal(data / "journal", recording, epochs, keys, room_key) as journal:
        for stream in journal.survey(0).streams:
            counters = found.setdefault((stream.peer, stream.kind), [])
            for _, _, _, packet in journal.packets(stream):
                got = read_stamp(packet[payload_offset(packet) :])
                assert got is not None, "a stored payload is not what was sent"
                counters.append(got.counter)
    return found


@dataclass(frozen=True)
class Loss:
    """What one kill has cost one track: the oldest packet lost before it, in seconds, and how many."""

    seconds: float
    packets: int


def losses(page: HeadlessPage, kind: int, counters: Sequence[int], kills_ns: Sequence[int]) -> list[Loss]:
    """One row a kill. Whatever else is missing was sent to a dead worker: between a kill and the next
    connection; anything missing at another time is an AssertionError.
    """
    sent, there = page.sent[kind], set(counters)
    assert len(counters) == len(there), "a counter came twice"
    assert there <= set(range(len(sent)))
    missing = [(n, at) for n, at in enumerate(sent) if n not in there]
    rows: list[Loss] = []
    explained: set[int] = set()
    for number, killed in enumerate(kills_ns):
        after = kills_ns[number - 1] if number else 0
        back = min((at for at in page.connects if at > killed), default=1 << 63)
        began = max((at for at in page.connects if after < at <= killed), default=killed)
        lost = [(n, at) for n, at in missing if began <= at <= killed]
        explained |= {n for n, at in missing if began <= at < back}
        if lost:
            first = lost[0][0]
            alive = [n for n in range(first, lost[-1][0] + 1) if n in there]
            assert not alive, (
                f"packets in the middle are missing: {first}, and {len(alive)} later ones are there"
            )
        rows.append(Loss((killed - lost[0][1]) / NS if lost else 0.0, len(lost)))
    tail = kills_ns[-1] if kills_ns else 0
    rest = [(n, at) for n, at in missing if n not in explained and at > 0]
    between = [n for n, at in rest if not any(k <= at < _next(page, k) for k in kills_ns)]
    assert not between, (KINDS[kind], "missing, and no kill explains it", len(between), between[:5], tail)
    return rows


def _next(page: HeadlessPage, killed: int) -> int:
    return min((at for at in page.connects if at > killed), default=1 << 63)


def unnamed(
    page: HeadlessPage, kind: int, counters: Sequence[int], report: dict[str, Any], started_ms: int
) -> dict[int, object]:
    """Lost counters whose time lies in no gap of their track or of everybody: (session ms, nearest gap)."""
    wall = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    track = next(t for t in report["tracks"] if (t["peer"], t["kind"]) == (page.seat, KINDS[kind]))
    everybody = [gap for gap in report["gaps"] if "peer" not in gap]
    gaps = [(gap["from"], gap["to"], gap["cause"]) for gap in (*track["gaps"], *everybody)]
    there = set(counters)
    found: dict[int, object] = {}
    for n, at in enumerate(page.sent[kind]):
        ms = (at + wall) // 1_000_000 - started_ms
        if n not in there and not any(a - SLACK_MS <= ms <= b + SLACK_MS for a, b, _ in gaps):
            near = min(gaps, key=lambda gap: min(abs(gap[0] - ms), abs(gap[1] - ms)), default=None)
            found[n] = (ms, near)
    return found
