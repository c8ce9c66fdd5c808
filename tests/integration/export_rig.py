"""A finished recording of synthetic people, and exports of it made by the real composer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import numpy as np

from media.recordstore.sealed import SealedReader, final_key
from server.export.composing import Composition
from server.export.making import Making, Target
from server.export.plan import Order
from server.runtime.keystore import ROOM, KeyStore
from server.runtime.objects import Objects
from tests.support.finalised import finalise, finalised
from tests.support.journals import RECORDING, STARTED_MS, Books, make_books, record
from tests.support.recorded import Person

EXPORT = "exp_synthetic-0001"


class ExportRig:
    """`open` records and finalises two people or those given; `make` composes an order: its plaintext."""

    books: Books
    result: dict[str, Any]

    async def open(self, data: Path, seconds: float = 4.0, who: list[Person] | None = None) -> ExportRig:
        self.data = data
        self.books = await (make_books(data) if who else finalised(data, seconds))
        self.keys = KeyStore.open(data)
        self.objects = Objects(data / "objects")
        if who:
            await record(data, self.keys, who, seconds=seconds)
            await finalise(data, self.books, self.keys)
        self.making = Making(self.books.database, self.books.rows, self.keys, self.objects)
        return self

    async def close(self) -> None:
        await self.books.database.close()

    def target(self) -> Target:
        """A sealed file under the export's key."""
        key, associated = final_key(self.keys.seat_key(EXPORT, ROOM), EXPORT, 1, "export")
        return Target(self.data / "export.sealed", key, associated)

    async def make(self, order: Order) -> bytes:
        """The finished plaintext; the sealed file is removed again."""
        target = self.target()
        prepared = await self.making.prepare(RECORDING, order, target, STARTED_MS)
        self.result = await Composition().run(prepared)
        with SealedReader(target.path, target.key, target.associated) as reader:
            plain = b"".join(reader.chunks())
        target.path.unlink()
        return plain


def pictures(film: bytes) -> list[tuple[float, np.ndarray]]:
    """(seconds, RGB picture) of every frame."""
    with av.open(io.BytesIO(film)) as box:
        return [(float(f.time), f.to_ndarray(format="rgb24")) for f in box.decode(video=0)]


def samples(film: bytes) -> np.ndarray:
    """Mono sound, -1 to 1, at 48 kHz from the film's zero."""
    with av.open(io.BytesIO(film)) as box:
        parts = [frame.to_ndarray().reshape(-1) for frame in box.decode(audio=0)]
    return np.concatenate(parts)
