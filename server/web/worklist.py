"""The worklist and the page of a case."""

from __future__ import annotations

from aiohttp import web

from server.domain.calendar import DAY_MS
from server.services.worklist import AHEAD_MS
from server.web.errors import whole_number
from server.web.keys import ADDRESS, RELATIONS, SERVICES, SIGNED_IN

DAYS = 31
"""As far ahead as one asks."""


async def worklist(request: web.Request) -> web.Response:
    """GET /api/worklist → today's; with `?days=14` those of so many days, at most 31"""
    asked = request.query.get("days")
    ahead_ms = AHEAD_MS if asked is None else whole_number(asked, 1, DAYS) * DAY_MS
    account = request[SIGNED_IN].account
    return web.json_response(await request.app[SERVICES].worklist.today(account, request[ADDRESS], ahead_ms))


async def glossaries(request: web.Request) -> web.Response:
    return web.json_response(await request.app[SERVICES].worklist.glossaries(request[SIGNED_IN].account))


async def case(request: web.Request) -> web.Response:
    page = await request.app[SERVICES].worklist.case_page(
        request[SIGNED_IN].account, request.match_info["case"], request[RELATIONS], request[ADDRESS]
    )
    return web.json_response(page)
