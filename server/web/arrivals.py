"""Who is on the way, over HTTP."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.arrival import MAX_MINUTES
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN


class Away(BaseModel):
    """`minutes` 0 = ready, null = taken back."""

    model_config = ConfigDict(extra="forbid", strict=True)
    minutes: int | None = Field(ge=0, le=MAX_MINUTES)


async def say(request: web.Request) -> web.Response:
    """POST /api/seats/{seat}/arrival, by who sits there"""
    body = await parsed(request, Away)
    told = await request.app[SERVICES].arrivals.say(
        request.match_info["seat"], body.minutes, request[ADDRESS]
    )
    return web.json_response(told)


async def say_for(request: web.Request) -> web.Response:
    """POST /api/seats/{seat}/arrival-for, by a coordinator"""
    body = await parsed(request, Away)
    account = request[SIGNED_IN].account.id
    told = await request.app[SERVICES].arrivals.say(
        request.match_info["seat"], body.minutes, request[ADDRESS], account
    )
    return web.json_response(told)


async def expected(request: web.Request) -> web.Response:
    """GET /api/seats/{seat}/arrivals"""
    found = await request.app[SERVICES].arrivals.of_seat(request.match_info["seat"])
    return web.json_response({"arrivals": found})
