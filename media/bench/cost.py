"""What our worker costs beside a bare forwarder: both by turns in one run, so that the machine's mood
cancels.

The ratio of CPU time per forwarded packet is the gate; microseconds are reported. Nothing leaves the machine.
"""

from __future__ import annotations

import statistics
from typing import Any

from media.bench import janus
from media.bench.keys import new_pair
from media.bench.report import drive, measure, start, stop_worker

SEATS = 3
LOOPS = ("uvloop", "asyncio")
"""The bare forwarder's event loop; the worker's is the first, and so is the one it is measured by."""


async def bare(rooms: int, seconds: float, loop: str) -> float:
    """CPU µs per forwarded packet of the bare forwarder; raises BenchFailedError."""
    keys = [new_pair() for _ in range(rooms * SEATS)]
    process, ready = await start("media.bench.bare", {"loop": loop, "keys": keys, "seats": SEATS})
    try:
        settings = {"bare": ready["udp_port"], "keys": keys, "rooms": rooms, "seconds": seconds}
        result, cpu, _ = await drive(process, settings)
    finally:
        await stop_worker(process)
    return cpu * 1e6 / max(1, int(result["packets_out"]))


async def compare(
    rooms: int, seconds: float, times: int, native: bool = True, with_janus: bool = False
) -> dict[str, Any]:
    """The worker and the bare forwarders by turns; raises BenchFailedError.

    `with_janus`: Debian's Janus too, tuned, without recording. `ratio` is the median over the turns of
    worker / bare, each pair measured one after the other.
    """
    turns: list[dict[str, float]] = []
    lost = 0
    for _ in range(times):
        figures = await measure(rooms, seconds, native=native)
        lost += figures["lost"]
        turn = {"worker": float(figures["cpu_us_per_forwarded_packet"])}
        for loop in LOOPS:
            turn[loop] = round(await bare(rooms, seconds, loop), 2)
        if with_janus:
            turn["janus"] = (await janus.measure(rooms, seconds))["cpu_us_per_forwarded_packet"]
        turns.append(turn)
    # A bare forwarder with next to nothing to do has used no tick of the kernel's CPU clock.
    ratios = [turn["worker"] / max(0.01, turn[LOOPS[0]]) for turn in turns]
    middle = {name: round(statistics.median(turn[name] for turn in turns), 2) for name in turns[0]}
    return {
        "rooms": rooms,
        "seconds": seconds,
        "worker_us": middle["worker"],
        **{f"bare_{loop}_us": middle[loop] for loop in LOOPS},
        **({"janus_us": middle["janus"]} if with_janus else {}),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "lost": lost,
        "turns": turns,
    }
