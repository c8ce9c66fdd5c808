"""`python -m tests.support.finalising_process CONTROL DATA`: the server's finalising queue, run until idle.

Its own publishing and its children use the disk of CONTROL (tests/support/faulty_disk.py).
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from server.config import Settings
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.storage.database import Database
from server.storage.recordings import Recordings
from tests.support.faulty_disk import Faults, FaultyDisk


async def finalise(data: Path, faults: Faults) -> None:
    """From start to idle, the way a restarted server does it."""
    database = Database(Settings(data_dir=data).database)
    try:
        objects = Objects(data / "objects", FaultyDisk(faults.control))
        options = FinalisingOptions(data / "journal", 0.0, faults.finaliser())
        queue = Finalising(Recordings(database), KeyStore.open(data), objects, options)
        await queue.start()
        await queue.idle()
        await queue.stop()
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(finalise(Path(sys.argv[2]), Faults(Path(sys.argv[1]).parent)))
