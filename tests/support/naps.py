"""How long something took by naps that were slept meanwhile: a machine that stands still counts as one nap,
so that a promise of the product is judged and not the machine.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable

NAP_S = 0.02


def naps(process: subprocess.Popen[bytes], most: float) -> float:
    """Seconds of naps until the process has ended; `most` if it runs on."""
    count = 0
    while process.poll() is None and count * NAP_S < most:
        time.sleep(NAP_S)
        count += 1
    return count * NAP_S


async def napping(work: Awaitable[object]) -> float:
    """Seconds of naps while this is done."""
    task, count = asyncio.ensure_future(work), 0
    while not task.done():
        await asyncio.sleep(NAP_S)
        count += 1
    await task
    return count * NAP_S
