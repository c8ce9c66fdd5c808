"""The demo's calendars: both sites' hours, a room each, and what its interpreter interprets."""

from __future__ import annotations

from server.domain.appointment import Interpreter
from server.domain.week import office_hours
from server.storage import calendars
from server.storage.calendars import Hours, SiteRoom
from server.storage.database import Transaction

FIELDS = frozenset({"orthopaedics"})


async def ensure_calendars(tx: Transaction, sites: dict[str, str], interpreter_id: str, now_ms: int) -> None:
    """`sites`: id → the name of its room. What is there already stays as somebody has set it."""
    hours = await calendars.hours_of(tx, sites)
    rooms = {room.site_id for room in await calendars.rooms_of(tx, sites)}
    for site_id, name in sites.items():
        if site_id not in hours:
            await calendars.put_hours(tx, site_id, Hours(office_hours(lunch=13), None), now_ms)
        if site_id not in rooms:
            await calendars.put_room(tx, SiteRoom(f"{site_id}-room", site_id, name, False))
    if interpreter_id not in await calendars.all_interpreters(tx):
        pairs = frozenset({("ko", "ru"), ("en", "ko"), ("en", "ru")})
        await calendars.put_interpreter(tx, Interpreter(interpreter_id, pairs, FIELDS))
