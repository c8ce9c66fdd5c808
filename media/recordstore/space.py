"""Whether the journal may still take media: no, below a floor of free space, and again well above it.

What is left below the floor is for end marks, gap events, the database and the keys. It must not free or
delete anything, and a disk that does not answer is not taken for a full one.
"""

from __future__ import annotations

from pathlib import Path

from .disk import DISK, Disk


def resume_bytes(floor_bytes: int) -> int:
    """So much must be free before media is taken again: half as much more, so that it does not flap."""
    return floor_bytes + floor_bytes // 2


class SpaceGate:
    """Open or closed. Belongs to the writer's thread, which calls `look` once a second; `open` may be read by
    all.
    """

    def __init__(self, root: Path, floor_bytes: int, disk: Disk = DISK) -> None:
        self._root, self._floor, self._disk = root, floor_bytes, disk
        self.open = True
        self.free_bytes = 0

    def look(self) -> bool:
        """Measure, and say whether media may be written now."""
        try:
            self.free_bytes = self._disk.space(self._root).free
        except OSError:
            return self.open  # not there yet, or broken: writing will tell
        self.open = self.free_bytes >= (self._floor if self.open else resume_bytes(self._floor))
        return self.open

    def refused(self) -> None:
        """The system itself said that the disk is full. If it is (it may be one file's quota), closed until
        there is room again.
        """
        if self.look() and self._floor:
            self.open = self.free_bytes >= resume_bytes(self._floor)
