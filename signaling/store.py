"""Where room documents are kept. A store shared by several instances passes the same contract tests.

Documents go through their JSON form on purpose: what it loses a shared store would lose too.
"""

from __future__ import annotations

from typing import Protocol

from signaling.document import RoomDocument, from_json, to_json


class RoomStore(Protocol):
    """Versioned documents with compare-and-set; in process on one machine, shared with several instances."""

    async def load(self, room: str) -> tuple[int, RoomDocument] | None: ...

    async def compare_and_set(self, room: str, version: int, document: RoomDocument) -> bool:
        """Store `document` if the stored version is `version` (0 = there is none); its own is the new one."""
        ...

    async def remove(self, room: str, version: int) -> bool:
        """Forget the document if the stored version is `version`."""
        ...

    async def rooms(self) -> list[str]:
        """Ids of all rooms that have a document."""
        ...


class MemoryRoomStore:
    """A RoomStore in a dict; gone with the process, the pages join again."""

    def __init__(self) -> None:
        self._documents: dict[str, tuple[int, str]] = {}

    async def load(self, room: str) -> tuple[int, RoomDocument] | None:
        stored = self._documents.get(room)
        return None if stored is None else (stored[0], from_json(stored[1]))

    async def compare_and_set(self, room: str, version: int, document: RoomDocument) -> bool:
        """Raises ValueError when the document's own version would not grow."""
        if document.version <= version:
            raise ValueError("a document's version grows")
        if self._version(room) != version:
            return False
        self._documents[room] = (document.version, to_json(document))
        return True

    async def remove(self, room: str, version: int) -> bool:
        if self._version(room) != version or version == 0:
            return False
        del self._documents[room]
        return True

    async def rooms(self) -> list[str]:
        return list(self._documents)

    def _version(self, room: str) -> int:
        stored = self._documents.get(room)
        return 0 if stored is None else stored[0]
