"""The interpreter's opening over HTTP: read at one's own seat and beside a recording."""

from __future__ import annotations

from aiohttp import web

from server.web.keys import SERVICES


async def of_seat(request: web.Request) -> web.Response:
    """GET /api/seats/{seat}/conduct"""
    steps = await request.app[SERVICES].conduct.of_seat(request.match_info["seat"])
    return web.json_response({"steps": steps})


async def of_recording(request: web.Request) -> web.Response:
    """GET /api/recordings/{recording}/conduct"""
    steps = await request.app[SERVICES].conduct.of_recording(request.match_info["recording"])
    return web.json_response({"steps": steps})
