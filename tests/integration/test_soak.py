"""Coming and going for a long time leaves nothing behind in a worker; floods of rubbish cost it little."""

from __future__ import annotations

import os

import pytest

from media.bench import flood
from media.bench.soak import soak

SECONDS = float(os.environ.get("HYEOPJIN_SOAK_S", "240"))
"""Half an hour of it is in docs/long-runs.md; this much fits into `make test-long`."""


@pytest.mark.long
async def test_two_joins_a_second_leave_no_memory_descriptors_or_tasks_behind() -> None:
    figures = await soak(SECONDS)
    print(figures)  # noqa: T201 - for docs/long-runs.md
    assert figures["grown"] == [], figures
    assert figures["joins"] > SECONDS, figures


@pytest.mark.parametrize(
    "kind", ["junk", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("media", "stun"))]
)
async def test_a_flood_of_rubbish_loses_a_call_no_packet_and_is_counted(kind: str) -> None:
    """What it costs is judged by `hyeopjin bench flood`, on a machine with nothing else to do."""
    figures = await flood.measure(kind, 1)
    assert figures["lost"] == figures["corrupt"] == 0, figures
    assert figures["datagrams_per_second"] > 500, figures
