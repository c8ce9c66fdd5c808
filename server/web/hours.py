"""Interpreters' hours as a file."""

from __future__ import annotations

from aiohttp import hdrs, web

from server.services.hours import asked
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


async def export(request: web.Request) -> web.Response:
    """GET /api/interpreter-hours?from=…&to=…[&zone=…]: days, both included."""
    told = request.query
    first, last, zone = asked(told.get("from", ""), told.get("to", ""), told.get("zone"))
    account = request[SIGNED_IN].account.id
    text = await request.app[SERVICES].hours.exported(first, last, zone, account, request[ADDRESS])
    name = f"interpreter-hours-{first.isoformat()}-{last.isoformat()}.csv"
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'}
    return web.Response(text=MARK + text, content_type="text/csv", charset="utf-8", headers=headers)
