"""`python -m tests.support.killed_destroyer DATA STEP`: carries out what waits, SIGKILLed at a step."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.support.shredding import ENDED_MS, Shredding


async def main(data: Path, deadly: str) -> None:
    def step(name: str) -> None:
        if name == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    rig = await Shredding(data, step).open()
    rig.now_ms = ENDED_MS + 7_000
    await rig.destroyer.run_waiting()
    print("survived")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
