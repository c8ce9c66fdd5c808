"""Which transaction ids were seen in the life of a ufrag, in four bytes each.

Chromium sends three to four checks a second, so a set of bytes would grow by megabytes an hour and session.
Kept are 32 bits of the interpreter's keyed hash in an open table: nobody outside can aim at a collision, and
one new id in four thousand million is taken for seen, which costs its sender a repeated check. Never forgets.
"""

from __future__ import annotations

from array import array

_FIRST_SLOTS = 256
_MASK32 = 0xFFFFFFFF


class SeenIds:
    """A set of byte strings that only grows."""

    def __init__(self) -> None:
        self._slots = array("I", bytes(4 * _FIRST_SLOTS))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, identity: bytes) -> bool:
        value = _value(identity)
        return self._slots[self._find(self._slots, value)] == value

    def add(self, identity: bytes) -> None:
        value = _value(identity)
        at = self._find(self._slots, value)
        if self._slots[at] == value:
            return
        self._slots[at] = value
        self._count += 1
        if 2 * self._count > len(self._slots):
            self._grow()

    def _grow(self) -> None:
        slots = array("I", bytes(4 * 2 * len(self._slots)))
        for value in self._slots:
            if value:
                slots[self._find(slots, value)] = value
        self._slots = slots

    @staticmethod
    def _find(slots: array[int], value: int) -> int:
        """Where the value is, or the empty slot where it belongs."""
        mask = len(slots) - 1
        at = value & mask
        while slots[at] not in (0, value):
            at = (at + 1) & mask
        return at


def _value(identity: bytes) -> int:
    return hash(identity) & _MASK32 or 1
