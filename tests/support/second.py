"""A second consultation beside the demo's own, put into the books of a demo that runs."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from server.config import Settings
from server.services import demo as world
from server.services.context import unix_ms
from server.storage import consultations
from server.storage.database import Database
from tests.support.demo import Demo


def second_consultation(demo: Demo) -> dict[str, str]:
    """Role -> the room's URL of that seat. In a thread of its own: Playwright's loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _add(demo)).result()


async def _add(demo: Demo) -> dict[str, str]:
    database = Database(Settings(data_dir=demo.data).database)
    try:
        async with database.write() as tx:
            added = await world._fresh(tx, unix_ms())
            links = await world._links(tx, added.id, {})
            seats = await consultations.seats_of(tx, {added.id})
    finally:
        await database.close()
    return {seat.role: f"{demo.base_url}/room/{seat.id}#{links[seat.id]}" for seat in seats}
