"""A data directory with whole recordings for `recordings verify`, and its answer in short."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from server.config import Settings
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.runtime.verifying import Verifier
from server.storage.database import Database
from server.storage.recordings import Recordings
from tests.support.journals import RECORDING, SEATS, add_session, make_books, people, record

OTHER = "rec_synthetic-0002"
ONE, TWO = SEATS[0], SEATS[1]
CAMERA, VOICE = f"{ONE}-camera.webm.sealed", f"{ONE}-audio.webm.sealed"
SEG, SEG2 = f"1/{ONE}.0001.seg", f"1/{TWO}.0001.seg"


async def prepare(data: Path) -> None:
    """RECORDING: two epochs, finalised after each, its first generation kept aside. OTHER: a journal only."""
    books = await make_books(data, epoch=1)
    keys = KeyStore.open(data)
    objects = Objects(data / "objects")

    async def finalised() -> None:
        queue = Finalising(books.rows, keys, objects, FinalisingOptions(data / "journal", 0))
        await queue.start()
        await queue.idle()
        await queue.stop()

    heads = await record(data, keys, people(2), seconds=3)
    await books.rows.add_heads(RECORDING, 1, heads)
    await finalised()
    shutil.copytree(data / "objects/recordings" / RECORDING / "g1", data / "aside")
    async with books.database.write() as tx:
        await tx.exec_driver_sql("UPDATE sessions SET epoch = 2")
    heads = await record(data, keys, people(2), seconds=3, epoch=2, begin_s=10)
    await books.rows.add_heads(RECORDING, 2, heads)
    await finalised()
    async with books.database.write() as tx:
        await add_session(tx, OTHER, 1)
    await record(data, keys, people(1), seconds=3, recording=OTHER)
    await books.database.close()


async def report_of(data: Path, recording: str) -> dict[str, Any]:
    config = Settings(data_dir=data)
    database = Database(config.database)
    try:
        rows = Recordings(database)
        row = await rows.get(recording)
        assert row is not None
        return await Verifier(config, rows).report(row)
    finally:
        await database.close()


def told(fault: dict[str, Any]) -> str:
    """A fault in a line: `file: [seal n] what = name`."""
    file = fault["where"].split(RECORDING + "/")[-1].split(OTHER + "/")[-1]
    seal = f"seal {fault['seal']} " if "seal" in fault else ""
    return f"{file}: {seal}{fault['what']} = {fault['name']}"
