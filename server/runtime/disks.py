"""Watches the file systems under data, journal and objects, and keeps a reserve where it must not fill up.

The reserve is a preallocated file: given back when somebody has filled the disk, so that the database, the
keys and the journals' end marks can still be written, and taken again when there is room. It must not delete
anything else, nor decide what is recorded (the media worker has a floor of its own).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from media.recordstore.disk import DISK, Disk, Space
from media.recordstore.space import resume_bytes
from server.config import Settings

log = logging.getLogger("hyeopjin.runtime.disks")

EVERY_S = 1.0
MEASURE_EVERY_S = 600.0
RESERVE_NAME = ".reserve"
LOW_SHARE = 4
"""With less than a quarter of the floor left, the reserve is given back."""
JOURNAL_SHARE = 1.1
"""A journal over the finished tracks that are made of it: heads of packets and seals, incomplete frames."""
DEFAULT_RATE = 3 * (1_350_000 + 50_000) / 8
"""Finished bytes a second of a room of three, each with both layers of a camera and a voice."""


class Reserve:
    """A preallocated file of `size` bytes, or none."""

    def __init__(self, path: Path, size: int, disk: Disk) -> None:
        self._path, self._size, self._disk = path, size, disk

    @property
    def held(self) -> bool:
        """Whether the file is there, whole."""
        try:
            return self._size > 0 and self._path.stat().st_size == self._size
        except OSError:
            return False

    def take(self) -> None:
        """Allocate it. Raises OSError, leaving nothing."""
        self._disk.remove(self._path)
        self._disk.allocate(self._path, self._size)

    def release(self) -> None:
        """Give its space back. Raises OSError."""
        self._disk.remove(self._path)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How long one more room can be recorded until `place` is at its floor, at `rate` finished bytes/s."""

    place: str
    seconds: float
    rate: float


class Disks:
    """`places`: name -> directory, of `data`, `journal`, `objects`; any two may share a file system."""

    def __init__(
        self, places: Mapping[str, Path], floor_bytes: int, reserve_bytes: int, disk: Disk = DISK
    ) -> None:
        self._places, self._floor, self._disk = dict(places), floor_bytes, disk
        self._reserve_bytes = reserve_bytes
        self.spaces: dict[str, Space] = {}
        self.rate = DEFAULT_RATE
        self._devices: dict[str, int] = {}
        self._reserves: dict[int, Reserve] = {}

    def look(self) -> None:
        """Measure; give reserves back or take them again. Blocking; never raises."""
        self.measure()
        kept: dict[int, str] = {}
        for name in ("data", "journal"):
            if name in self.spaces:
                kept.setdefault(self._devices[name], name)
        for device, name in kept.items():
            self._keep(name, self._reserves[device], self.spaces[name])

    def measure(self) -> None:
        """Look at every place and change nothing. Blocking; never raises."""
        for name, directory in self._places.items():
            try:
                self._devices[name] = directory.stat().st_dev
                self.spaces[name] = self._disk.space(directory)
            except OSError as error:
                self.spaces.pop(name, None)
                log.warning("the disk of %s does not answer: errno %s", name, error.errno)
        for name in ("data", "journal"):
            if name in self.spaces and self._devices[name] not in self._reserves:
                path = self._places[name] / RESERVE_NAME
                self._reserves[self._devices[name]] = Reserve(path, self._reserve_bytes, self._disk)

    def _keep(self, name: str, reserve: Reserve, space: Space) -> None:
        held = reserve.held
        try:
            if held and space.free < self._floor // LOW_SHARE:
                reserve.release()
                log.error("the disk of %s is full: its reserve is given back; make room", name)
            elif (
                not held
                and self._reserve_bytes
                and space.free >= self._reserve_bytes + resume_bytes(self._floor)
            ):
                reserve.take()
        except OSError as error:
            log.warning("the reserve on the disk of %s cannot be changed: errno %s", name, error.errno)

    @property
    def reserve_held(self) -> bool:
        """Whether every reserve is there."""
        return all(reserve.held for reserve in self._reserves.values())

    def forecast(self) -> Forecast | None:
        """The least of all places; None before the first look."""
        rates: dict[int, float] = {}
        for name, share in (("journal", JOURNAL_SHARE), ("objects", 1.0)):
            if name in self.spaces:
                device = self._devices[name]
                rates[device] = rates.get(device, 0.0) + share * self.rate
        found: Forecast | None = None
        for name in ("journal", "objects"):
            if name not in self.spaces:
                continue
            device = self._devices[name]
            kept = self._floor
            reserve = self._reserves.get(device)
            if reserve is not None and not reserve.held:
                kept += self._reserve_bytes
            seconds = max(0.0, self.spaces[name].free - kept) / rates[device]
            if found is None or seconds < found.seconds:
                found = Forecast(name, seconds, self.rate)
        return found

    def numbers(self) -> dict[str, float]:
        """For /metrics."""
        found = {f"hyeopjin_disk_{name}_free_bytes": float(space.free) for name, space in self.spaces.items()}
        found |= {f"hyeopjin_disk_{name}_bytes": float(space.total) for name, space in self.spaces.items()}
        if self._reserve_bytes:
            found["hyeopjin_recording_reserve_held"] = float(self.reserve_held)
        forecast = self.forecast()
        if forecast is not None:
            found["hyeopjin_recording_room_seconds"] = forecast.seconds
            found["hyeopjin_recording_room_bytes_per_second"] = forecast.rate
        return found

    async def metrics(self) -> dict[str, float]:
        """`numbers`, off the loop: a reserve is looked at on the disk."""
        return await asyncio.to_thread(self.numbers)

    async def watch(self, measure: Callable[[], Awaitable[float | None]]) -> None:
        """Look every second, for ever, and ask every ten minutes at which rate rooms are recorded."""
        due = 0.0
        while True:
            if time.monotonic() >= due:
                due = time.monotonic() + MEASURE_EVERY_S
                try:
                    self.rate = await measure() or DEFAULT_RATE
                except Exception as error:
                    log.error("the rate of recordings could not be measured: %s", type(error).__name__)
            await asyncio.sleep(EVERY_S)
            await asyncio.to_thread(self.look)


def disks_before(settings: Settings) -> Disks:
    """The disk on which an installation would be made: its nearest directory that is there."""
    path = settings.data_dir.absolute()
    while not path.exists():
        path = path.parent
    return Disks(dict.fromkeys(("journal", "objects"), path), settings.disk_floor_bytes, 0)


def disks_of(settings: Settings, disk: Disk = DISK) -> Disks:
    """The disks of this installation; directories that are not there are left out when it looks."""
    places = {"data": settings.data_dir, "journal": settings.journal_dir, "objects": settings.objects_dir}
    return Disks(places, settings.disk_floor_bytes, settings.disk_reserve_bytes, disk)
