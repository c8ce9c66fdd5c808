"""Whose calendar an id names."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.errors import Refused
from server.domain.people import Site
from server.storage import accounts, calendars
from server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose calendar: an account's, a site's or a room's."""

    id: str
    kind: str  # person | site | room
    site: Site


async def owner_of(tx: Transaction, owner_id: str) -> Owner:
    """Raises Refused `not_found`."""
    sites = await accounts.all_sites(tx)
    if owner_id in sites:
        return Owner(owner_id, "site", sites[owner_id])
    if (account := await accounts.by_id(tx, owner_id)) is not None:
        return Owner(owner_id, "person", sites[account.site_id])
    if (room := await calendars.room_by_id(tx, owner_id)) is not None:
        return Owner(owner_id, "room", sites[room.site_id])
    raise Refused("not_found")
