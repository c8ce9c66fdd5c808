"""One's own ways of signing in: password, second steps; showing again whose browser it is."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.password import LONGEST
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN
from server.web.sign_in import Code


class Password(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    password: str = Field(min_length=1, max_length=LONGEST)


async def state(request: web.Request) -> web.Response:
    """GET /api/account/security → {password, totp, passkeys, recovery_left, required, proven}"""
    return web.json_response(await request.app[SERVICES].ways_in.second_steps.state(request[SIGNED_IN]))


async def active(request: web.Request) -> web.Response:
    """POST /api/account/active → 204: somebody touches the page; 423 when it is too late for that"""
    await request.app[SERVICES].accounts.active(request[SIGNED_IN].session.id)
    return web.Response(status=204)


async def prove(request: web.Request) -> web.Response:
    """POST /api/account/prove {password} → 204: unlocked, and ways of signing in may be changed"""
    body = await parsed(request, Password)
    await request.app[SERVICES].accounts.prove(request[SIGNED_IN], body.password, request[ADDRESS])
    return web.Response(status=204)


async def change_password(request: web.Request) -> web.Response:
    """POST /api/account/password {password} → 204; all other sessions end"""
    body = await parsed(request, Password)
    await request.app[SERVICES].accounts.change_password(request[SIGNED_IN], body.password, request[ADDRESS])
    return web.Response(status=204)


async def begin_totp(request: web.Request) -> web.Response:
    """POST /api/account/totp → {secret, address, qr: {size, path}}, this once"""
    return web.json_response(await request.app[SERVICES].ways_in.second_steps.begin_totp(request[SIGNED_IN]))


async def confirm_totp(request: web.Request) -> web.Response:
    """POST /api/account/totp/confirm {code} → {codes}: recovery codes, this once; [] when there are some"""
    body = await parsed(request, Code)
    steps = request.app[SERVICES].ways_in.second_steps
    return web.json_response(
        {"codes": await steps.confirm_totp(request[SIGNED_IN], body.code, request[ADDRESS])}
    )


async def remove_totp(request: web.Request) -> web.Response:
    """POST /api/account/totp/remove → 204"""
    await request.app[SERVICES].ways_in.second_steps.remove_totp(request[SIGNED_IN], request[ADDRESS])
    return web.Response(status=204)


async def renew_recovery(request: web.Request) -> web.Response:
    """POST /api/account/recovery-codes → {codes}, this once; the old ones are dead"""
    steps = request.app[SERVICES].ways_in.second_steps
    return web.json_response({"codes": await steps.renew_recovery(request[SIGNED_IN], request[ADDRESS])})


async def revoke_others(request: web.Request) -> web.Response:
    """POST /api/account/sessions/revoke-others → 204"""
    await request.app[SERVICES].accounts.revoke_others(request[SIGNED_IN], request[ADDRESS])
    return web.Response(status=204)
