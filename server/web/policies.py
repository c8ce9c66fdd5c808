"""What holds between two sites: look and change."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN


class Decide(BaseModel):
    """`version`: of the decision that was looked at."""

    model_config = ConfigDict(extra="forbid", strict=True)
    referring: str = Field(min_length=1, max_length=64)
    consulting: str = Field(min_length=1, max_length=64)
    version: int = Field(ge=0, le=1_000_000)
    seat_rule: str = Field(min_length=1, max_length=16)
    legal_basis: str = Field(min_length=1, max_length=24)


async def overview(request: web.Request) -> web.Response:
    """GET /api/policies → {sites, pairs: [{referring, consulting, may_change, decisions: [newest, …]}], …}"""
    return web.json_response(await request.app[SERVICES].policies.overview(request[SIGNED_IN].account))


async def decide(request: web.Request) -> web.Response:
    """POST /api/policies {referring, consulting, version, seat_rule, legal_basis} → 204"""
    body = await parsed(request, Decide)
    await request.app[SERVICES].policies.decide(
        (body.referring, body.consulting),
        body.version,
        body.seat_rule,
        body.legal_basis,
        request[SIGNED_IN].account,
        request[ADDRESS],
    )
    return web.Response(status=204)
