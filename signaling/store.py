"""Where room documents are kept. A store shared by several instances passes the same contract tests.

Documents go through their JSON form on purpose: what it loses a shared store would lose too.
"""

from __future__ import annotations

from typing import Protocol

from signaling.document import RoomDocument, from_json, to_json


class StoreAwayError(Exception):
    """The store cannot be asked now. Nothing is forgotten meanwhile: wait for `back` and ask again."""


class RoomStore(Protocol):
    """Versioned documents with compare-and-set; in process on one machine, shared with several instances.

    Every method but `back` may raise StoreAwayError.
    """

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

    async def room_of(self, session: str) -> str | None:
        """The room whose document is in this session."""
        ...

    async def turn(self, room: str) -> bool:
        """Whether this process ticks the room this second: of several that share the store, one does."""
        ...

    @property
    def away(self) -> bool:
        """Whether asking is known to be useless just now."""
        ...

    async def back(self) -> None:
        """Returns when the store can be asked (again)."""
        ...


class MemoryRoomStore:
    """A RoomStore in a dict; gone with the process, the pages join again."""

    away = False

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

    async def room_of(self, session: str) -> str | None:
        documents = {room: from_json(text) for room, (_, text) in self._documents.items()}
        return next((room for room, document in documents.items() if document.session == session), None)

    async def turn(self, room: str) -> bool:
        return True

    async def back(self) -> None:
        return None

    def _version(self, room: str) -> int:
        stored = self._documents.get(room)
        return 0 if stored is None else stored[0]
