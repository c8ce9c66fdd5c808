"""The chat over HTTP: read at one's own seat, and beside a recording. It is said on the room's socket."""

from __future__ import annotations

from aiohttp import web

from server.web.guard import kept_back
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN


async def of_seat(request: web.Request) -> web.Response:
    """GET /api/seats/{seat}/chat"""
    messages = await request.app[SERVICES].chat.of_seat(request.match_info["seat"])
    return web.json_response({"messages": messages})


async def of_recording(request: web.Request) -> web.Response:
    """GET /api/recordings/{recording}/chat"""
    account = request[SIGNED_IN].account.id
    recording = request.match_info["recording"]
    found = await request.app[SERVICES].chat.of_recording(
        recording, account, request[ADDRESS], await kept_back(request, recording)
    )
    return web.json_response(found)
