"""Sites of the programme: a form makes one, and its own admin or the programme's keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from server.domain.errors import Refused
from server.domain.people import Account, Site
from server.domain.permissions import Action, allowed
from server.domain.staff import checked_site
from server.services.access import at_site
from server.services.booking import Order
from server.services.context import Context
from server.services.public_holidays import is_known
from server.storage import accounts, audit, calendars, departments, staff, telephones
from server.storage.database import Transaction
from server.storage.ids import new_id


class Sites:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self, account: Account) -> dict[str, Any]:
        """Those that this account may look at, with how much there is of what a site needs."""
        async with self._context.database.read() as tx:
            sites = await accounts.all_sites(tx)
            people = await staff.everybody(tx)
            hours = await calendars.hours_of(tx, sites)
            rooms = await calendars.rooms_of(tx, sites)
            units = await departments.everyone(tx)
        shown = [one for one in sites.values() if self._may(Action.SITE_READ, account, one)]
        return {
            "sites": [
                {
                    **_short(site),
                    "people": sum(one.site_id == site.id and not one.disabled for one in people),
                    "rooms": sum(room.site_id == site.id and not room.closed for room in rooms),
                    "departments": sum(one.site_id == site.id and not one.closed for one in units),
                    "has_hours": site.id in hours,
                }
                for site in sorted(shown, key=lambda one: (one.country, one.name, one.id))
            ]
        }

    async def look(self, account: Account, site_id: str) -> dict[str, Any]:
        """Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            return await self._told(tx, account, site_id)

    async def save(self, site_id: str | None, site: Site, telephone: str, order: Order) -> dict[str, Any]:
        """A new one (None), or what there is of it anew. Raises FormRefused, Refused `not_found`."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            known = await accounts.all_sites(tx)
            if site_id is not None and site_id not in known:
                raise Refused("not_found")
            named = replace(site, id=site_id or new_id())
            made, number = checked_site(named, telephone, known.values())
            if site_id is None:
                await accounts.add_site(tx, made)
            else:
                await staff.put_site(tx, made)
            await telephones.put(tx, made.id, number)
            action = "site_added" if site_id is None else "site_changed"
            entry = audit.Entry(action, "site", made.id, order.address, account_id=order.account.id)
            await audit.append(tx, now_ms, entry)
            return await self._told(tx, order.account, made.id)

    async def _told(self, tx: Transaction, account: Account, site_id: str) -> dict[str, Any]:
        site = (await accounts.all_sites(tx)).get(site_id)
        if site is None:
            raise Refused("not_found")
        number = (await telephones.of(tx, {site_id})).get(site_id, "")
        units = [one for one in await departments.everyone(tx) if one.site_id == site_id]
        return {
            **_short(site),
            "address": site.address,
            "languages": list(site.languages),
            "emergency": site.emergency,
            "telephone": number,
            "holidays_known": is_known(site.country),
            "departments": [
                {"id": one.id, "name": one.name, "specialty": one.specialty, "closed": one.closed}
                for one in units
            ],
            "may": self._abilities(account, site, (Action.SITE_WRITE, Action.PERSON_ADD)),
        }

    def _may(self, action: Action, account: Account, site: Site) -> bool:
        return allowed(action, account.roles, at_site(account, site.id))

    def _abilities(self, account: Account, site: Site, actions: Iterable[Action]) -> list[str]:
        return [action.value for action in actions if self._may(action, account, site)]


def _short(site: Site) -> dict[str, Any]:
    return {"id": site.id, "name": site.name, "country": site.country, "time_zone": site.time_zone}
