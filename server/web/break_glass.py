"""Breaking the glass and ending it."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.glass import LONGEST_REASON
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    case: str = Field(min_length=1, max_length=64)
    reason: str = Field(max_length=LONGEST_REASON)


async def newest(request: web.Request) -> web.Response:
    """GET /api/break-glass → {glasses: [{id, name, roles, case, reason, opened_ms, over_ms, open}]}"""
    return web.json_response(await request.app[SERVICES].break_glass.newest())


async def begin(request: web.Request) -> web.Response:
    """POST /api/break-glass {case: label, reason} → {glass: {id, case_id, case, until_ms}}"""
    body = await parsed(request, Asked)
    account = request[SIGNED_IN].account
    glasses = request.app[SERVICES].break_glass
    return web.json_response(await glasses.begin(account, body.case, body.reason, request[ADDRESS]))


async def end(request: web.Request) -> web.Response:
    """POST /api/break-glass/{glass}/end"""
    account = request[SIGNED_IN].account
    await request.app[SERVICES].break_glass.end(account, request.match_info["glass"], request[ADDRESS])
    return web.Response(status=204)
