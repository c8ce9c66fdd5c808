"""Calendars as people keep them: hours, absences, rooms, what an interpreter interprets."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from server.domain.appointment import INTERPRETER, Interpreter, pair_of
from server.domain.errors import Refused
from server.domain.two_clocks import zone_of
from server.domain.week import week_of
from server.services.booking import Order
from server.services.context import Context
from server.services.owners import owner_of
from server.services.public_holidays import is_known
from server.storage import accounts, audit, calendars
from server.storage.calendars import Absence, Hours, SiteRoom
from server.storage.database import Transaction
from server.storage.ids import new_id

MAX_NAME = 120
MAX_ABSENCE = timedelta(days=400)
MAX_ABSENCES = 500
MAX_ROOMS = 100


class Calendars:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def of(self, owner_id: str) -> dict[str, Any]:
        """Own hours (null: the site's hold), the site's, absences to come and past, a site's rooms.

        Raises Refused `not_found`.
        """
        async with self._context.database.read() as tx:
            owner = await owner_of(tx, owner_id)
            hours = await calendars.hours_of(tx, {owner.id, owner.site.id})
            absences = await calendars.absences_of(tx, {owner.id})
            rooms = await calendars.rooms_of(tx, {owner.site.id}) if owner.kind == "site" else []
        own = hours.get(owner.id)
        return {
            "id": owner.id,
            "kind": owner.kind,
            "site": {
                "id": owner.site.id,
                "name": owner.site.name,
                "time_zone": owner.site.time_zone,
                "country": owner.site.country,
                "holidays_known": is_known(owner.site.country),
            },
            "hours": _hours(own),
            "site_hours": _hours(hours.get(owner.site.id)),
            "time_zone": (own.time_zone if own else None) or owner.site.time_zone,
            "absences": [{"id": one.id, "from": one.from_local, "to": one.to_local} for one in absences],
            "rooms": [{"id": room.id, "name": room.name, "closed": room.closed} for room in rooms],
        }

    async def set_hours(
        self, owner_id: str, days: Sequence[Sequence[Sequence[int]]] | None, zone: str | None, order: Order
    ) -> None:
        """Whole: what was before is gone. `days` None: the site's hold. Raises Refused `bad_request`."""
        now_ms = self._context.now_ms()
        try:
            hours = (
                None if days is None else Hours(week_of(days), None if zone is None else zone_of(zone).key)
            )
        except ValueError:
            raise Refused("bad_request") from None
        async with self._context.database.write() as tx:
            owner = await owner_of(tx, owner_id)
            if owner.kind != "person" and zone is not None:  # a site's zone is its own; a room is at its site
                raise Refused("bad_request")
            await calendars.put_hours(tx, owner_id, hours, now_ms)
            await _note(tx, now_ms, "hours_set", owner_id, order)

    async def add_absence(self, owner_id: str, begin: datetime, end: datetime, order: Order) -> str:
        """Local times on the owner's wall. Raises Refused `bad_request` (no or too long a span, too many)."""
        if begin.tzinfo or end.tzinfo or not timedelta(0) < end - begin <= MAX_ABSENCE:
            raise Refused("bad_request")
        if not 2000 <= begin.year <= end.year <= 2200:
            raise Refused("bad_request")
        now_ms = self._context.now_ms()
        made = Absence(new_id(), owner_id, *(each.isoformat(timespec="minutes") for each in (begin, end)))
        async with self._context.database.write() as tx:
            await owner_of(tx, owner_id)
            if len(await calendars.absences_of(tx, {owner_id})) >= MAX_ABSENCES:
                raise Refused("bad_request")
            await calendars.add_absence(tx, made, order.account.id, now_ms)
            await _note(tx, now_ms, "absence_added", owner_id, order)
        return made.id

    async def remove_absence(self, owner_id: str, absence_id: str, order: Order) -> None:
        """Raises Refused `not_found`."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            if not await calendars.remove_absence(tx, owner_id, absence_id):
                raise Refused("not_found")
            await _note(tx, now_ms, "absence_removed", owner_id, order)

    async def put_room(self, site_id: str, room_id: str | None, name: str, closed: bool, order: Order) -> str:
        """A new room of a site, or a change of one. Raises Refused `not_found`, `bad_request`."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            owner = await owner_of(tx, site_id)
            if owner.kind != "site":
                raise Refused("bad_request")
            rooms = {room.id for room in await calendars.rooms_of(tx, {site_id})}
            if room_id is not None and room_id not in rooms:
                raise Refused("not_found")
            if room_id is None and len(rooms) >= MAX_ROOMS:
                raise Refused("bad_request")
            room = SiteRoom(room_id or new_id(), site_id, _name(name), closed)
            await calendars.put_room(tx, room)
            await _note(tx, now_ms, "room_set", room.id, order)
        return room.id

    async def interprets(
        self, account_id: str, pairs: Sequence[Sequence[str]], fields: Sequence[str], order: Order
    ) -> None:
        """Raises Refused `not_found` (no interpreter's account), `bad_request`."""
        found = [pair_of(pair) for pair in pairs]
        if any(pair is None for pair in found):
            raise Refused("bad_request")
        one = Interpreter(account_id, frozenset(pair for pair in found if pair), frozenset(fields))
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            account = await accounts.by_id(tx, account_id)
            if account is None or INTERPRETER not in account.roles:
                raise Refused("not_found")
            await calendars.put_interpreter(tx, one)
            said = " ".join(sorted("-".join(pair) for pair in one.pairs))
            detail: dict[str, int | str] = {"pairs": said, "fields": " ".join(sorted(one.fields))}
            await _note(tx, now_ms, "interpreter_set", account_id, order, detail)

    async def interpreters(self) -> list[dict[str, Any]]:
        """Every interpreter who may sign in; who has no pair yet is booked for nothing."""
        async with self._context.database.read() as tx:
            known = await calendars.all_interpreters(tx)
            people = await accounts.of_role(tx, INTERPRETER)
        nothing = Interpreter("", frozenset(), frozenset())
        return [
            {
                "id": account.id,
                "name": account.name,
                "pairs": sorted(list(pair) for pair in known.get(account.id, nothing).pairs),
                "fields": sorted(known.get(account.id, nothing).fields),
            }
            for account in people
        ]


def _hours(hours: Hours | None) -> list[list[list[int]]] | None:
    return None if hours is None else hours.week.as_json()


def _name(text: str) -> str:
    """Raises Refused `bad_request` for an empty or too long one, and for control characters."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 0 < len(name) <= MAX_NAME or any(unicodedata.category(each) == "Cc" for each in name):
        raise Refused("bad_request")
    return name


async def _note(
    tx: Transaction,
    now_ms: int,
    action: str,
    subject: str,
    order: Order,
    detail: dict[str, int | str] | None = None,
) -> None:
    by = order.account.id
    entry = audit.Entry(action, "calendar", subject, order.address, account_id=by, detail=detail or {})
    await audit.append(tx, now_ms, entry)
