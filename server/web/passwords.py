"""A forgotten password, and setting a new one by a mailed link. The link's secret comes in bodies only."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.password import LONGEST
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES


class Forgot(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    email: str = Field(min_length=1, max_length=254)


class Link(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    token: str = Field(min_length=1, max_length=100)


class NewPassword(Link):
    password: str = Field(min_length=1, max_length=LONGEST)


async def forgot(request: web.Request) -> web.Response:
    """POST /api/password/forgot {email} → 202 {}, whosever address it is"""
    body = await parsed(request, Forgot)
    await request.app[SERVICES].ways_in.resets.forgot(body.email, request[ADDRESS])
    return web.json_response({}, status=202)


async def link(request: web.Request) -> web.Response:
    """POST /api/password/link {token} → {kind, email, language}"""
    body = await parsed(request, Link)
    owner = await request.app[SERVICES].ways_in.resets.owner(body.token, request[ADDRESS])
    account = owner.account
    return web.json_response({"kind": owner.kind, "email": account.email, "language": account.language})


async def set_password(request: web.Request) -> web.Response:
    """POST /api/password/set {token, password} → 204; one signs in with it afterwards"""
    body = await parsed(request, NewPassword)
    await request.app[SERVICES].ways_in.resets.set_password(body.token, body.password, request[ADDRESS])
    return web.Response(status=204)
