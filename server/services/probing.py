"""How a seat's page gets to the media port, asked before it joins: an offer without media, and its result.

It must not decide which way is used: the browser does, each time. The last result is kept for the seat.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from server.domain.consultation import require_link_alive
from server.domain.errors import Refused
from server.services.access import behind_link, seat_and_consultation
from server.services.context import Context
from server.services.limiting import Attempts
from server.storage import path_checks
from server.storage.path_checks import PathCheck
from server.storage.seats import Credential
from signaling.ports import IceServers, no_relays

CREDENTIAL_S = 120
"""A page that only asks gets the relay for so long."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a page shows for itself: the seat's live credential, or the token of its link."""

    credential: Credential | None
    token: str | None


async def _no_media() -> list[str]:
    raise ConnectionError("no media plane")


async def _no_fault() -> str | None:
    return None


class Probing:
    """`offers` asks the media plane, `relays` names the relays, `relay_fault` says what is wrong with them.

    The composition root sets the three once the media plane is there.
    """

    def __init__(self, context: Context, attempts: Attempts) -> None:
        self._context = context
        self._attempts = attempts
        self.offers: Callable[[], Awaitable[list[str]]] = _no_media
        self.relays: IceServers = no_relays
        self.relay_fault: Callable[[], Awaitable[str | None]] = _no_fault

    async def probe(self, seat_id: str, proof: Proof, address: str) -> dict[str, Any]:
        """Raises Refused: `too_many_attempts`, `link_unknown`, `link_dead`, `no_credential`, `not_ready`."""
        await self._prove(seat_id, proof, address)
        return await self.ways(seat_id)

    async def ways(self, whose: str) -> dict[str, Any]:
        """What a page tries its ways with, for one that has proved itself. Raises Refused `not_ready`."""
        try:
            sdps = await self.offers()
        except (OSError, TimeoutError):
            raise Refused("not_ready") from None
        return {"sdps": sdps, "ice_servers": self.relays_of(whose), "now_ms": self._context.now_ms()}

    def relays_of(self, whose: str) -> list[dict[str, Any]]:
        """The relays, with a credential that ends soon, as pages are told them."""
        return [server.wire() for server in self.relays(whose)]

    async def keep(self, seat_id: str, proof: Proof, found: PathCheck, address: str) -> str | None:
        """Keeps the newest result of the seat; gives what is wrong with a relay that was of no use.

        Raises Refused like `probe`.
        """
        await self._prove(seat_id, proof, address)
        async with self._context.database.write() as tx:
            await path_checks.put(tx, seat_id, self._context.now_ms(), found)
        return await self.relay_fault() if found.relay is False else None

    async def _prove(self, seat_id: str, proof: Proof, address: str) -> None:
        await self._attempts.probe(seat_id, address)
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            if proof.credential is not None:
                seat, consultation = await seat_and_consultation(tx, seat_id)
                require_link_alive(consultation, seat, now_ms)
            elif proof.token is not None:
                await behind_link(tx, seat_id, proof.token, now_ms)
            else:
                raise Refused("no_credential")
