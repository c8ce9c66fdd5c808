"""Sign in, sign out, who am I, where am I signed in."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.password import LONGEST
from server.domain.people import Account
from server.domain.permissions import Action, page_abilities
from server.web.cookies import drop_cookie, session_cookie_name, set_cookie
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SETTINGS, SIGNED_IN


class SignIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    email: str = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=LONGEST)


async def sign_in(request: web.Request) -> web.Response:
    body = await parsed(request, SignIn)
    settings = request.app[SETTINGS]
    agent = request.headers.get("User-Agent", "")
    outcome = await request.app[SERVICES].accounts.sign_in(body.email, body.password, request[ADDRESS], agent)
    response = web.json_response({"account": _account(outcome.account)})
    life_s = settings.account_session_hours * 3600
    set_cookie(response, settings, session_cookie_name(settings), outcome.secret, life_s, "Lax")
    return response


async def sign_out(request: web.Request) -> web.Response:
    signed_in = request[SIGNED_IN]
    await request.app[SERVICES].accounts.revoke(signed_in.account.id, signed_in.session.id, request[ADDRESS])
    response = web.Response(status=204)
    settings = request.app[SETTINGS]
    drop_cookie(response, settings, session_cookie_name(settings))
    return response


async def me(request: web.Request) -> web.Response:
    account = request[SIGNED_IN].account
    glasses = request.app[SERVICES].break_glass
    told = {**_account(account), "break_glass": await glasses.standing(account)}
    barred = set() if glasses.is_for(account) else {Action.BREAK_GLASS.value}
    abilities = [one for one in page_abilities(account.roles) if one not in barred]
    return web.json_response({"account": told, "abilities": abilities})


async def local_key(request: web.Request) -> web.Response:
    """GET /api/account/local-key → {key}: 32 bytes as long as this session lives, to seal local copies"""
    session = request[SIGNED_IN].session
    return web.json_response({"key": await request.app[SERVICES].accounts.local_key(session.id)})


async def sessions(request: web.Request) -> web.Response:
    signed_in = request[SIGNED_IN]
    found = await request.app[SERVICES].accounts.sessions(signed_in.account.id)
    return web.json_response(
        {
            "sessions": [
                {
                    "id": session.id,
                    "created_ms": session.created_ms,
                    "last_seen_ms": session.last_seen_ms,
                    "agent": session.agent,
                    "current": session.id == signed_in.session.id,
                }
                for session in found
            ]
        }
    )


async def revoke_session(request: web.Request) -> web.Response:
    signed_in = request[SIGNED_IN]
    await request.app[SERVICES].accounts.revoke(
        signed_in.account.id, request.match_info["session"], request[ADDRESS]
    )
    return web.Response(status=204)


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "roles": list(account.roles),
        "language": account.language,
        "time_zone": account.time_zone,
        "site_id": account.site_id,
    }
