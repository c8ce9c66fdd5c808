"""Interpreters' hours as a file."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import hdrs, web

from server.domain.errors import Refused
from server.web.keys import SERVICES, SIGNED_IN

MARK = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""


async def export(request: web.Request) -> web.Response:
    """GET /api/interpreter-hours?from=…&to=…[&zone=…]: days, both included."""
    try:
        first, last = date.fromisoformat(request.query["from"]), date.fromisoformat(request.query["to"])
        zone = ZoneInfo(request.query["zone"]) if "zone" in request.query else None
    except (KeyError, ValueError, ZoneInfoNotFoundError, OSError):
        raise Refused("bad_request") from None
    account = request[SIGNED_IN].account.id
    text = await request.app[SERVICES].hours.exported(first, last, zone, account)
    name = f"interpreter-hours-{first.isoformat()}-{last.isoformat()}.csv"
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'}
    return web.Response(text=MARK + text, content_type="text/csv", charset="utf-8", headers=headers)
