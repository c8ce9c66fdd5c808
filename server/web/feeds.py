"""One's calendar feed: made, revoked, and read by whatever program has its address."""

from __future__ import annotations

from aiohttp import hdrs, web

from server.web.keys import ADDRESS, SERVICES, SIGNED_IN


async def state(request: web.Request) -> web.Response:
    """GET /api/account/feed → {made_at_ms}; null: there is none"""
    return web.json_response(await request.app[SERVICES].feeds.state(request[SIGNED_IN].account))


async def renew(request: web.Request) -> web.Response:
    """POST /api/account/feed → 201 {url}, this once"""
    url = await request.app[SERVICES].feeds.renew(request[SIGNED_IN].account, request[ADDRESS])
    return web.json_response({"url": url}, status=201)


async def revoke(request: web.Request) -> web.Response:
    """POST /api/account/feed/revoke → 204"""
    await request.app[SERVICES].feeds.revoke(request[SIGNED_IN].account, request[ADDRESS])
    return web.Response(status=204)


async def read(request: web.Request) -> web.Response:
    """GET /calendar/{token}.ics"""
    text = await request.app[SERVICES].feeds.read(request.match_info["token"], request[ADDRESS])
    headers = {hdrs.CACHE_CONTROL: "private, no-store", "X-Robots-Tag": "noindex"}
    return web.Response(text=text, content_type="text/calendar", charset="utf-8", headers=headers)
