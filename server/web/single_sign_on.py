"""An organisation's own sign-in over HTTP: out to the provider, and back by a redirect with a code.

Whoever comes back is sent on to the sign-in page, which knows what to say and where to go.
"""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.errors import Refused
from server.services.signing_in import HalfWay
from server.services.single_sign_on import Returned
from server.web.cookies import drop_cookie, step_cookie_name
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SETTINGS
from server.web.sign_in import set_session, set_step, step_secret, whence

LONGEST = 4096


class Begin(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    next: str = Field(default="", max_length=200)


async def ways(request: web.Request) -> web.Response:
    """GET /api/sign-in/ways → {provider}: what its button says, or null"""
    return web.json_response({"provider": request.app[SERVICES].ways_in.single_sign_on.label})


async def begin(request: web.Request) -> web.Response:
    """POST /api/sign-in/provider {next?} → {location} at the provider, + a cookie for some minutes"""
    body = await parsed(request, Begin)
    service = request.app[SERVICES].ways_in.single_sign_on
    location, secret = await service.begin(body.next, request[ADDRESS])
    response = web.json_response({"location": location})
    set_step(response, request, secret)
    return response


async def back(request: web.Request) -> web.Response:
    """GET /sign-in/provider?code&state → 303 to the sign-in page, signed in, half-way or with a problem"""
    query = request.query
    returned = Returned(
        state=query.get("state", "")[:LONGEST],
        code=query.get("code", "")[:LONGEST],
        issuer=query.get("iss"),
        error="error" in query,
    )
    service = request.app[SERVICES].ways_in.single_sign_on
    try:
        outcome, next_page = await service.finish(step_secret(request), returned, whence(request))
    except Refused as refused:
        outcome, next_page = refused, ""
    if isinstance(outcome, Refused):
        response = _to_page({"problem": outcome.code, "next": next_page})
        drop_cookie(response, request.app[SETTINGS], step_cookie_name(request.app[SETTINGS]))
        return response
    if isinstance(outcome, HalfWay):
        response = _to_page({"ways": ".".join(outcome.ways), "next": next_page})
        set_step(response, request, outcome.secret)
        return response
    response = _to_page({"next": next_page})
    set_session(response, request, outcome)
    return response


def _to_page(said: dict[str, str]) -> web.Response:
    query = urlencode({name: value for name, value in said.items() if value})
    return web.Response(status=303, headers={"Location": "/signin" + (f"?{query}" if query else "")})
