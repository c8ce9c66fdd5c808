"""The joints between use cases, rooms and the finaliser: who hears of what. They decide nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from server.gate import SeatGate
from server.runtime.finalising import Finalising
from server.services.bundle import Services
from server.services.context import RoomsAwayError
from signaling.asides import Asides
from signaling.hub import Hub
from signaling.ports import Consent, EndReason, Knock
from signaling.store import StoreAwayError


class LiveRooms:
    """`server.services.context.Live` on the hub."""

    def __init__(self, hub: Hub, gate: SeatGate, asides: Asides) -> None:
        self._hub = hub
        self._gate = gate
        self._asides = asides

    async def consent_changed(
        self, room: str, seat: str, decision: str, grant: str | None, accompanied: bool | None = None
    ) -> None:
        await self._hub.consent_changed(room, seat, cast("Consent", decision), grant, accompanied)

    async def knocked(self, room: str, knock: str, seat: str, name: str, since_ms: int) -> None:
        await self._hub.knock(room, Knock(knock, seat, name, since_ms))

    async def credential_revoked(self, credential_id: str) -> None:
        self._gate.forget(credential_id)
        await self._hub.credential_revoked(credential_id)

    async def room_closed(self, room: str, reason: str) -> None:
        await self._hub.room_closed(room, cast("EndReason", reason))

    async def presence(self, room: str) -> set[str]:
        try:
            return await self._hub.presence(room)
        except StoreAwayError:
            raise RoomsAwayError from None

    async def busy(self) -> bool:
        try:
            return await self._hub.busy()
        except StoreAwayError:
            raise RoomsAwayError from None

    async def told(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        try:
            await self._asides.tell(room, event, payload)
        except StoreAwayError:
            raise RoomsAwayError from None


class Emptied:
    """`signaling.ports.RoomListener`: notes the emptiness in the books, then hands over to the finaliser."""

    def __init__(self, services: Services, finalising: Finalising) -> None:
        self._services = services
        self._finalising = finalising

    async def room_emptied(self, room: str, session: str) -> None:
        await self._services.rooms.mark_emptied(session, self._services.context.now_ms())
        await self._finalising.room_emptied(room, session)
