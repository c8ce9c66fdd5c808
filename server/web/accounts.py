"""Sign out, who am I, where am I signed in."""

from __future__ import annotations

from aiohttp import web

from server.domain.permissions import Action, page_abilities
from server.domain.signed_in import Standing
from server.web.cookies import drop_cookie, session_cookie_name
from server.web.keys import ADDRESS, SERVICES, SETTINGS, SIGNED_IN
from server.web.sign_in import account_json


async def sign_out(request: web.Request) -> web.Response:
    signed_in = request[SIGNED_IN]
    await request.app[SERVICES].accounts.revoke(signed_in.account.id, signed_in.session.id, request[ADDRESS])
    response = web.Response(status=204)
    settings = request.app[SETTINGS]
    drop_cookie(response, settings, session_cookie_name(settings))
    return response


async def me(request: web.Request) -> web.Response:
    """GET /api/me → {account, abilities}; `lock_after_s`: of nobody touching the page (null: never)"""
    signed_in, settings = request[SIGNED_IN], request.app[SETTINGS]
    account, glasses = signed_in.account, request.app[SERVICES].break_glass
    full = signed_in.standing is Standing.FULL
    told = account_json(account) | {
        "standing": signed_in.standing,
        "lock_after_s": settings.idle_ms // 1000 or None,
        "break_glass": await glasses.standing(account) if full else None,
    }
    barred = set() if glasses.is_for(account) else {Action.BREAK_GLASS.value}
    abilities = [one for one in page_abilities(account.roles) if full and one not in barred]
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
