"""What every use case needs: the books, the clock, the settings and the live rooms.

It must not decide anything. `Live` is the part of the rooms that use cases tell about changes; the hub
stands behind it once `server/app.py` has joined them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from server.config import Settings
from server.storage.database import Database


class RoomsAwayError(Exception):
    """What instances share does not answer: who is in a room is not known now."""


class Live(Protocol):
    """The rooms as use cases see them."""

    async def consent_changed(
        self, room: str, seat: str, decision: str, grant: str | None, accompanied: bool | None = None
    ) -> None: ...

    async def knocked(self, room: str, knock: str, seat: str, name: str, since_ms: int) -> None: ...

    async def credential_revoked(self, credential_id: str) -> None: ...

    async def room_closed(self, room: str, reason: str) -> None: ...

    async def presence(self, room: str) -> set[str]:
        """Seats that are in the room now. Raises RoomsAwayError, as `busy` does."""
        ...

    async def busy(self) -> bool:
        """Whether anybody is in any room now."""
        ...

    async def told(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        """To every page in the room now. Raises RoomsAwayError."""
        ...


class NoRooms:
    """No room is open: the state before the hub is joined, and of the commands that never open one."""

    async def consent_changed(
        self, room: str, seat: str, decision: str, grant: str | None, accompanied: bool | None = None
    ) -> None:
        return None

    async def knocked(self, room: str, knock: str, seat: str, name: str, since_ms: int) -> None:
        return None

    async def credential_revoked(self, credential_id: str) -> None:
        return None

    async def room_closed(self, room: str, reason: str) -> None:
        return None

    async def presence(self, room: str) -> set[str]:
        return set()

    async def busy(self) -> bool:
        return False

    async def told(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        return None


def unix_ms() -> int:
    """The wall clock in Unix milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Context:
    settings: Settings
    database: Database
    now_ms: Callable[[], int] = unix_ms
    live: Live = field(default_factory=NoRooms)  # replaced once, by the composition root

    @property
    def oldest_session_ms(self) -> int:
        """Account sessions created at or before this instant are over."""
        return self.now_ms() - self.settings.account_session_hours * 3_600_000
