"""The worklist and the page of a case."""

from __future__ import annotations

from aiohttp import web

from server.web.keys import ADDRESS, RELATIONS, SERVICES, SIGNED_IN


async def worklist(request: web.Request) -> web.Response:
    return web.json_response(await request.app[SERVICES].worklist.today(request[SIGNED_IN].account))


async def glossaries(request: web.Request) -> web.Response:
    return web.json_response(await request.app[SERVICES].worklist.glossaries(request[SIGNED_IN].account))


async def case(request: web.Request) -> web.Response:
    page = await request.app[SERVICES].worklist.case_page(
        request[SIGNED_IN].account, request.match_info["case"], request[RELATIONS], request[ADDRESS]
    )
    return web.json_response(page)
