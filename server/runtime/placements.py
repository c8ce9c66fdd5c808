"""Which worker has which room: the newest epoch of each, and the epochs that are still open somewhere.

`Placements` is the port; several web instances share one (leases). Here: in this process's memory, which
is right for one server process, because its workers end with it. It must not know what a worker is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Placement:
    """`worker` is one life of one worker process: the id is never used again after its death."""

    worker: str
    epoch: int


class Placements(Protocol):
    """Sticky per (room, epoch): the first claim of an epoch stands, and no older epoch is placed any more."""

    async def find(self, room: str) -> Placement | None:
        """The newest epoch's place; also when its worker has died since."""
        ...

    async def claim(self, room: str, epoch: int, worker: str) -> Placement:
        """Place this epoch there, unless it or a newer one is placed already; returns what stands."""
        ...

    async def release(self, room: str, epoch: int) -> None:
        """This epoch and those before are sealed. A placement of a newer one stays."""
        ...

    async def of_worker(self, worker: str) -> dict[str, int]:
        """Rooms whose newest placed epoch is there."""
        ...


class LocalPlacements:
    """A `Placements` in a dict: only what is open, or was when its worker died, until a newer epoch."""

    def __init__(self) -> None:
        self._placed: dict[str, Placement] = {}

    async def find(self, room: str) -> Placement | None:
        return self._placed.get(room)

    async def claim(self, room: str, epoch: int, worker: str) -> Placement:
        stands = self._placed.get(room)
        if stands is None or stands.epoch < epoch:
            stands = self._placed[room] = Placement(worker, epoch)
        return stands

    async def release(self, room: str, epoch: int) -> None:
        stands = self._placed.get(room)
        if stands is not None and stands.epoch <= epoch:
            del self._placed[room]

    async def of_worker(self, worker: str) -> dict[str, int]:
        return {room: place.epoch for room, place in self._placed.items() if place.worker == worker}
